// Writes the commented configuration file from the table of settings.
import { FIELDS, type FieldName, variableOf } from '../config.ts'

/** Values as a file holds them; paths relative to it or absolute. */
export type FileValues = Partial<Record<FieldName, string | number | readonly string[]>>

/** What is shown, commented out, for a setting that has no value yet. */
const EXAMPLES: Record<FieldName, string | number | readonly string[]> = {
  chainId: 1,
  bridge: '0x0000000000000000000000000000000000000000',
  rpcUrls: ['https://rpc.example.org', 'https://rpc.example.net'],
  rpcQuorum: 2,
  rpcTimeoutMs: 10000,
  pollMs: 2000,
  confirmations: 'finalized',
  dataDirectory: 'data',
  keystore: 'keystore.json',
  passwordFile: 'password',
  listen: ['/ip4/0.0.0.0/tcp/9700'],
  announce: ['/dns4/relayer.example.org/tcp/9700'],
  bootstrap: ['/dns4/bootnode.example.org/tcp/9700/p2p/16Uiu2HA...'],
  httpHost: '127.0.0.1',
  httpPort: 9780,
  logLevel: 'info',
  dealMinThreshold: 2,
  dealMaxChanges: 1,
  dealMinOverlap: 3,
  dealMaxThresholdStep: 1,
  dealMajorityOnly: 'kept',
  dealSpanBlocks: 7200,
  dealDelayBlocks: 7200,
  otherBridges: [
    '{chainId: 10, bridge: "0x0000000000000000000000000000000000000000", rpcUrls: [https://rpc.example.net]}',
  ],
  aliases: ['"0x0000000000000000000000000000000000000000": anna'],
}

/** The file: every setting with its sentence; those without a value are commented out. */
export function renderConfig(values: FileValues): string {
  const names = Object.keys(FIELDS) as FieldName[] // CAST: the keys of the table
  const blocks = names.map((name) => {
    const value = values[name]
    const lines = entry(name, value ?? EXAMPLES[name])
    const about = `# ${FIELDS[name].about} (${variableOf(name)})`
    return [about, ...(value === undefined ? lines.map((line) => `# ${line}`) : lines)].join('\n')
  })
  return [
    '# Configuration of a Truss relayer. Variables named in brackets win over this file.',
    '# Paths are relative to this file. Unknown settings are refused. What is commented out is an example, or the default.',
    ...blocks,
    '',
  ].join('\n\n')
}

function entry(name: FieldName, value: string | number | readonly string[]): string[] {
  if (name === 'aliases') return [`${name}:`, ...[value].flat().map((line) => `  ${line}`)]
  if (name === 'otherBridges') return [`${name}:`, ...[value].flat().map((line) => `  - ${line}`)]
  if (typeof value === 'object') return [`${name}:`, ...value.map((line) => `  - ${quoted(line)}`)]
  return [`${name}: ${quoted(String(value))}`]
}

/** Plain where YAML reads it back as it stands. */
function quoted(text: string): string {
  return /^[\w./-]+$|^\/[\w./-]+$|^https?:\/\/[\w.:/-]+$/.test(text) ? text : JSON.stringify(text)
}
