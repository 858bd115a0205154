// `truss evidence`: saves the daemon's evidence records, and checks one against a committee that the checker knows itself.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import type { EvidenceView } from '../api/daemon.ts'
import { type Address, fromHex, toAddress } from '../lib/bytes.ts'
import { ConfigError, InputError } from '../lib/errors.ts'
import { whole } from '../lib/settings.ts'
import type { Verdict } from '../protocol/evidence.ts'
import type { Committee } from '../protocol/party.ts'
import {
  type BridgeConfig,
  type BridgeOptions,
  bridgeConfig,
  bridgeOptions,
  openChain,
} from './admin-options.ts'
import { argument, columns, type Context, contextOf, show } from './command.ts'
import { askDaemon, clientConfig } from './daemon-client.ts'
import { UnprovenError } from './exit.ts'
import type { Io } from './io.ts'
import { namerOf } from './names.ts'

interface VerifyOptions extends BridgeOptions {
  readonly committee?: readonly Committee[]
}

export function evidenceCommand(io: Io): Command {
  const evidence = new Command('evidence').description('signed proof that somebody broke the protocol')
  evidence.addCommand(
    bridgeOptions(
      new Command('verify').description('check an evidence record: whom it convicts, and of what'),
    )
      .argument('<file>', 'the record, as bytes or in hex')
      .option(
        '--committee <epoch:threshold:addresses>',
        'a committee known by hand instead of from an endpoint, addresses with commas; once an epoch',
        (value: string, before: readonly Committee[] | undefined) => [
          ...(before ?? []),
          argument(committee)(value),
        ],
      )
      .action(async (file: string, options: VerifyOptions, command: Command) =>
        verify(contextOf(io, command), file, options),
      ),
  )
  evidence
    .command('save')
    .description("write the daemon's evidence records to files")
    .option('-d, --directory <path>', 'where the files go', 'evidence')
    .action(async ({ directory }: { directory: string }, command: Command) => {
      const context = contextOf(io, command)
      const records = await askDaemon<readonly EvidenceView[]>(clientConfig(context).dataDirectory, 'GET', [
        '/evidence',
      ])
      mkdirSync(directory, { recursive: true })
      const files = records.map(({ id, record }) => {
        const file = join(directory, `${id}.evidence`)
        writeFileSync(file, fromHex(record))
        return file
      })
      show(context, { files }, files.length === 0 ? ['there is no evidence'] : files)
    })
  return evidence
}

async function verify(context: Context, file: string, options: VerifyOptions): Promise<void> {
  const bytes = readRecord(file)
  const { decodeEvidence, verifyEvidence } = await import('../protocol/evidence.ts')
  const { isSignEvidence } = await import('../protocol/signfault.ts')
  const config = knownBridge(context, options)
  if (isSignEvidence(bytes)) return verifySigning(context, { bytes, file, config, by: options.committee })
  const { chainId, bridge } = config
  const proven = await unproven(file, async () => {
    const trusted =
      options.committee === undefined
        ? await fromChain(config, decodeEvidence(bytes).spec)
        : { chainId, bridge, committees: options.committee }
    return verifyEvidence(bytes, trusted)
  })
  print(context, proven, config)
}

/** A record of misbehaviour in signing: judged by the committee of the shares that it speaks of. */
async function verifySigning(
  context: Context,
  of: { bytes: Uint8Array; file: string; config: BridgeConfig; by: readonly Committee[] | undefined },
): Promise<void> {
  const { bytes, file, config, by } = of
  const { verifySignEvidence } = await import('../protocol/signfault.ts')
  const { epochOfSigning } = await import('../protocol/signepoch.ts')
  const { code, culprit, epoch } = await unproven(file, async () => {
    const epoch = epochOfSigning(bytes) ?? 0
    const committee = by === undefined ? await committeeFromChain(config, epoch) : by.find(isOf(epoch))
    if (committee === undefined)
      throw new InputError(`verify evidence: the committee of epoch ${epoch} is not known here`)
    const verdict = verifySignEvidence(bytes, committee)
    if (verdict === null) throw new InputError('verify evidence: it proves nothing')
    return { ...verdict, epoch }
  })
  const { role, index, address } = culprit
  const who = `${namerOf(config)(address)}, ${role} member ${index}`
  show(context, { valid: true, code, culprits: [culprit], signing: { epoch } }, [
    ...columns([
      ['proves', code],
      ['signing', `with shares of epoch ${epoch}`],
      ['culprit', who],
    ]),
  ])
}

const isOf = (epoch: number) => (committee: Committee) => committee.epoch === epoch

async function committeeFromChain(config: BridgeConfig, epoch: number): Promise<Committee> {
  const chain = await openChain(config, null)
  try {
    const { members, threshold } = await chain.epochInfo(epoch, await chain.head())
    return { epoch, members, threshold }
  } finally {
    chain.close()
  }
}

/** With committees by hand no endpoint is needed, and none is asked. */
function knownBridge(context: Context, options: VerifyOptions): BridgeConfig {
  if (options.committee === undefined) return bridgeConfig(context, options)
  return bridgeConfig(context, { ...options, rpc: options.rpc ?? [] })
}

async function unproven<T>(file: string, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof Error && ['InputError', 'EncodingError', 'RefusalError'].includes(error.name))
      throw new UnprovenError(`${file}: ${error.message}`, {
        hint: 'it convicts nobody: check that chain, bridge and committee are those that it speaks of',
      })
    throw error
  }
}

/** What the contract says of the epochs that a record speaks of, and of the keys that it holds. */
async function fromChain(config: BridgeConfig, spec: Verdict['spec']) {
  const { SCHEMES } = await import('../protocol/keyshare.ts')
  const chain = await openChain(config, null)
  try {
    const at = await chain.head()
    const state = await chain.committeeState(at)
    const epochs = [spec.next.epoch, ...(spec.old === null ? [] : [spec.old.epoch])]
    const infos = await Promise.all(epochs.map((epoch) => chain.epochInfo(epoch, at)))
    const hashes = infos.find(({ epoch }) => epoch === spec.old?.epoch)?.commitmentsHashes ?? []
    const keys = state.keys.flatMap(({ keyId, scheme, groupKey }) => {
      const hash = hashes.find((one) => one.keyId === keyId)?.hash
      const name = SCHEMES[scheme]
      if (hash === undefined || name === undefined) return []
      return [{ keyId, scheme: name, groupKey: fromHex(groupKey), commitmentsHash: fromHex(hash) }]
    })
    const committees = infos.map(({ epoch, members, threshold }) => ({ epoch, members, threshold }))
    return { chainId: config.chainId, bridge: config.bridge, committees, keys }
  } finally {
    chain.close()
  }
}

function print(context: Context, { code, culprits, spec, attempt }: Verdict, config: BridgeConfig): void {
  const name = namerOf(config)
  const ceremony = { op: spec.op, epoch: spec.next.epoch, predecessor: spec.old?.epoch ?? 0, attempt }
  show(context, { valid: true, code, culprits, ceremony }, [
    ...columns([
      ['proves', code],
      ['ceremony', `${spec.op} of epoch ${spec.next.epoch}, attempt ${attempt}`],
      ...culprits.map(
        ({ role, index, address }) => ['culprit', `${name(address)}, ${role} member ${index}`] as const,
      ),
    ]),
  ])
}

function readRecord(file: string): Uint8Array {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw new ConfigError(`read ${file}: it cannot be read`, { hint: 'name an evidence record', cause })
  }
  const text = bytes.toString('latin1').trim()
  return /^(0x)?([0-9a-fA-F]{2})+$/.test(text) ? fromHex(text) : new Uint8Array(bytes)
}

/** `7:2:0x…,0x…,0x…` */
function committee(value: string): Committee {
  const [epoch = '', threshold = '', addresses = ''] = value.split(':')
  const members = addresses.split(',').map((text): Address => toAddress(text.trim()))
  if (members.length < 2) throw new InputError('must look like 7:2:0x...,0x...,0x...')
  return {
    epoch: whole(1, Number.MAX_SAFE_INTEGER)(epoch),
    threshold: whole(2, members.length)(threshold),
    members: members.sort(),
  }
}
