// Asks the daemon of a data directory over its control socket.
import { request } from 'node:http'
import type { RemoteErrorBody } from '../api/control.ts'
import { loadToolConfig, type ToolConfig } from '../config.ts'
import { ConfigError, TrussError } from '../lib/errors.ts'
import { socketPath } from '../lib/settings.ts'
import type { Context } from './command.ts'
import { DaemonError } from './exit.ts'

/** An error that the daemon answered with; `name` is that of the class thrown there. */
class RemoteError extends TrussError {
  constructor({ name, message, hint }: RemoteErrorBody['error']) {
    super(message, { hint })
    this.name = name
  }
}

/** The configuration of a command that talks to a daemon: the data directory must be known. */
export function clientConfig({ source }: Context): ToolConfig & { dataDirectory: string } {
  const config = loadToolConfig(source)
  if (config.dataDirectory === undefined)
    throw new ConfigError('find the daemon: dataDirectory is not set', {
      hint: "name the daemon's configuration with --config FILE, or set TRUSS_DATA_DIRECTORY",
    })
  return { ...config, dataDirectory: config.dataDirectory }
}

/**
 * One request; gives the parsed JSON answer.
 * @throws DaemonError if nobody answers on the socket, and whatever error the daemon answers with
 */
export async function askDaemon<T>(
  dataDirectory: string,
  method: 'GET' | 'POST',
  [path, body]: readonly [path: string, body?: object],
): Promise<T> {
  const socket = socketPath(dataDirectory)
  const { status, text } = await exchange(socket, method, [path, body])
  // CAST: both ends of the socket are this program, and its types are those of api/
  const answer = JSON.parse(text) as T | RemoteErrorBody
  if (status === 200) return answer as T // CAST: see above; an error body never comes with 200
  // CAST: see above
  throw new RemoteError((answer as RemoteErrorBody).error)
}

function exchange(
  socket: string,
  method: string,
  [path, body]: readonly [string, object | undefined],
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const sent = request({ socketPath: socket, path, method, headers }, (response) => {
      response.setEncoding('utf8')
      let text = ''
      response.on('data', (part: string) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode ?? 500, text }))
      response.on('error', reject)
    })
    sent.on('error', (error: NodeJS.ErrnoException) => reject(unreachable(socket, error)))
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function unreachable(socket: string, error: NodeJS.ErrnoException): DaemonError {
  const denied = error.code === 'EACCES' || error.code === 'EPERM'
  return new DaemonError(`ask the daemon at ${socket}: ${denied ? 'not permitted' : 'nobody answers'}`, {
    hint: denied ? 'run the command as the user who runs the daemon' : 'start it with `truss start`',
    cause: error,
  })
}
