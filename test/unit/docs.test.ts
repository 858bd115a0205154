// The documentation is held to the code: attacks to their tests, links to files, step names to steps, commands to the program.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

/** Attacks and accidents, in the order of docs/attacks.md. */
const ATTACKS = [
  'half a committee forgets',
  'a crash at any step',
  'two activations of one epoch',
  'the share of an attempt that lost',
  'old shares sign the new committee in',
  'garbage as the first group signature',
  'a change that was called off',
  'replay',
  'a restored disk',
  'two faces',
  'a dealer that shares something else',
  'a newcomer told a false key',
  'a polynomial of another degree',
  'unusable points, scalars and indexes',
  'a chosen key',
  'a bad share to one member',
  'a false accusation',
  'silence',
  'aborting again and again',
  'a dishonest coordinator',
  'a coordinator that is down',
  'a removed member that stays connected',
  'strangers and bad addresses',
  'floods and malformed bytes',
  'messages that come early',
  'a request that the chain takes back',
  'several changes at once',
  'captured governance',
  'a lying endpoint',
  'a contract on the wrong chain',
  'transfers while the committee changes',
  'a signature begun at the cut-over',
  'a nonce used twice',
  'oblivious transfer, bit by bit',
  'former members that join forces',
  'a receipt that is not true',
  'a share in another place',
  'secrets in what is printed',
]

/** Attacks known from other systems, in the order of docs/attacks.md. */
const KNOWN_ELSEWHERE = [
  'TSSHOCK: ambiguous hashing, weak iterated proofs',
  'BitForge and the golden shoe: unproven Paillier parameters (CVE-2023-33241, CVE-2020-12118)',
  'Lindell17: aborts as an oracle (CVE-2023-33242)',
  'forget and forgive',
  'an acknowledgement that only some receive',
  'lather, rinse, repeat: leaks that add up over repeated runs',
  'a chosen key, and cancelling others',
  'a proof or commitment copied from another (CVE-2022-47930)',
  'zero shares, the identity as a commitment',
  'index 0, or two that are equal modulo the order',
  'a threshold raised by longer polynomials',
  'a change of threshold hidden in a refresh',
  'broadcast that is none',
  'a rushing member that bends the result',
  'a bad share, or a lie about one',
  'complaints that make honest dealers publish',
  'a reshare that nobody asked for, or for another place',
  'a dealer with another secret',
  'a newcomer fed false verification shares',
  'selective failure in oblivious transfer (GHSA-7f6p-phw2-8253)',
  'members made to ban each other by two session ids',
  'flaws in published checks of oblivious transfer',
  'choice bits that leak from base oblivious transfer',
  'equal receiver keys that give equal seeds',
  'a session id of zero, or the same for two pairs',
  'nonces that come back after a crash or from a backup',
  'presignatures used twice, or across a reshare',
  'presignatures together with derived keys',
  'ROS and other attacks on parallel sessions',
  'rewinding, replayed first rounds, cloned machines',
  'shares of two epochs in one signature',
  'a key used for another purpose or scheme',
  'signing blindly',
  'small subgroups of ed25519',
  'malleable signatures, and r, s or m of zero',
  'shares in the clear, forged senders',
  'messages of an old session',
  'crashes by sizes, counts and bad bytes',
  'a dependency that silently falls back to a weaker one',
  'timing of big integers',
  'adaptive corruption in very large committees',
]

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
const read = (file: string) => readFileSync(file, 'utf8')
const PAGES = ['README.md', 'CHANGELOG.md', ...globSync('{docs,compose}/**/*.md').sort()]

/** The rows of the table under a heading, as cells; the header and the line under it are left out. */
function tableUnder(page: string, heading: string): string[][] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('| '))
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '))
}

/** The titles of a test file; a part that is computed stands for anything. */
function titlesOf(file: string): RegExp[] {
  const found = read(file).matchAll(/\b(?:test|it|describe)\(\s*(['"`])((?:\\.|(?!\1)[^])*?)\1/g)
  return [...found].map((match) => {
    const literal = (match[2] ?? '').replaceAll(/\\(.)/g, '$1')
    const parts = match[1] === '`' ? literal.split(/\$\{[^}]*\}/) : [literal]
    return new RegExp(`^${parts.map((part) => escaped(part)).join('.+')}$`)
  })
}

const attacks = read('docs/attacks.md')
const known = tableUnder(attacks, 'Attacks known from other systems')
const all = [...tableUnder(attacks, 'Attacks and accidents'), ...known]

test('the attacks are all there, each once, in order', () => {
  const names = (rows: readonly string[][]) => rows.map(([name]) => name)
  assert.deepEqual(names(tableUnder(attacks, 'Attacks and accidents')), ATTACKS)
  assert.deepEqual(names(known), KNOWN_ELSEWHERE)
  for (const cells of all) assert.ok(cells.every((cell) => cell.trim() !== ''))
})

test('each attack names tests that exist, by their exact titles, or says what is missing', () => {
  const wrong: string[] = []
  for (const cells of all) {
    const items = (cells.at(-1) ?? '').split('<br>')
    for (const item of items) {
      if (/^(later|nothing to try|accepted): \S/.test(item)) continue
      const [, file, title] = /^`(test\/[^`]+\.test\.ts)`: "(.+)"$/.exec(item) ?? []
      if (file === undefined || title === undefined) wrong.push(`${cells[0]}: ${item} is no test`)
      else if (!existsSync(file)) wrong.push(`${cells[0]}: ${file} does not exist`)
      else if (!titlesOf(file).some((pattern) => pattern.test(title)))
        wrong.push(`${cells[0]}: ${file} has no test "${title}"`)
    }
  }
  assert.deepEqual(wrong, [])
})

/** The anchor that a heading has on a rendered page. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-')

test('links lead to files and headings that exist', () => {
  const broken: string[] = []
  for (const page of PAGES) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      if (!existsSync(file)) broken.push(`${page}: ${target}`)
      else if (anchor !== undefined) {
        const headings = [...read(file).matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1] ?? ''))
        if (!headings.includes(anchor)) broken.push(`${page}: ${target}`)
      }
    }
  }
  assert.deepEqual(broken, [])
})

const protocols = read('docs/protocols.md')

/** How many steps a round of a section has; 0 if there is no such round. */
function stepsOf(section: string, round: number): number {
  const text = protocols.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? ''
  const own = text.split(/^\*\*/m).find((part) => part.startsWith(`Round ${round},`)) ?? ''
  return own.match(/^\d+\. /gm)?.length ?? 0
}

/** Whether docs/protocols.md has what a reference names: `Signing`, `Keygen, round 4`, `Keygen and Reshare`. */
function isOnThePage(reference: string): boolean {
  if (new RegExp(`^###? ${escaped(reference)}$`, 'm').test(protocols)) return true
  const [, section, round, step] = /^(\w+), round (\d)(?:, step (\d))?$/.exec(reference) ?? []
  if (section !== undefined) return stepsOf(section, Number(round)) >= Number(step ?? 1)
  const parts = reference.split(' and ')
  return parts.length > 1 && parts.every(isOnThePage)
}

test('steps and sections that comments name stand in docs/protocols.md', () => {
  const wrong: string[] = []
  for (const file of globSync('{relayer,scripts,test,contracts}/**/*.{ts,sol}').sort()) {
    const text = read(file)
    for (const [, reference = ''] of text.matchAll(/docs\/protocols\.md, ([^().;]+)/g))
      if (file !== 'test/unit/docs.test.ts' && !isOnThePage(reference)) wrong.push(`${file}: ${reference}`)
    for (const [, round, steps = '1'] of text.matchAll(/\/\/ Round (\d)(?:, steps? ([\d, and to]+))?/g)) {
      const highest = Math.max(...(steps.match(/\d+/g) ?? []).map(Number))
      if (stepsOf('Keygen', Number(round)) < highest) wrong.push(`${file}: round ${round}, step ${steps}`)
    }
  }
  assert.deepEqual(wrong, [])
})

/** Commands of docs/cli.md by their words, with the flags that each takes. */
function commands(): Map<string, Set<string>> {
  const [head = '', ...sections] = read('docs/cli.md').split(/^## /m)
  const flags = (text: string) => (text.match(/(?<=[`, ])--?[a-z][a-z-]*(?=[`, ])/g) ?? []).map(String)
  const global = flags(sections.find((section) => section.startsWith('Options of every command')) ?? head)
  const anchorOf = (section: string) => section.split('\n', 1)[0]?.toLowerCase().replaceAll(' ', '-')
  /** Flags of the sections that one refers to. */
  const shared = (section: string) =>
    [...section.matchAll(/\]\(#([a-z-]+)\)/g)].flatMap(([, anchor]) =>
      flags(sections.find((other) => anchorOf(other) === anchor) ?? ''),
    )
  const found = new Map<string, Set<string>>()
  for (const section of sections) {
    const [, words] = /^`truss ([a-z -]+?)(?: [<[][^`]*)?`/.exec(section) ?? []
    if (words !== undefined)
      found.set(words, new Set([...global, '--help', ...flags(section), ...shared(section)]))
  }
  return found
}

/** What a text says after `truss` in code: command and arguments, without a comment behind them. */
function callsIn(text: string): string[] {
  const code = text.match(/```[^]*?```|`[^`\n]+`/g) ?? []
  const lines = code.flatMap((part) => part.replaceAll('\\\n', ' ').split('\n'))
  return lines.flatMap((line) => {
    const [, call] = /(?<![\w./-])truss (?:-- )?([a-z-][^`#]*)/.exec(line) ?? []
    return call === undefined ? [] : [call.trim()]
  })
}

test('commands and flags that pages and hints name are those of the program', () => {
  const program = commands()
  assert.ok(program.size > 20)
  const groups = new Set([...program.keys()].map((words) => words.split(' ')[0] ?? ''))
  const wrong: string[] = []
  const files = [...PAGES.filter((page) => page !== 'docs/cli.md'), ...globSync('relayer/**/*.ts').sort()]
  for (const file of files) {
    for (const call of callsIn(read(file))) {
      const words = call.split(/\s+/)
      const name = [2, 1].map((count) => words.slice(0, count).join(' ')).find((each) => program.has(each))
      const takes = program.get(name ?? '') ?? new Set(['--help', '--version'])
      const unknown = words.filter((word) => /^--?[a-z]/.test(word) && !takes.has(word))
      const group = words.length === 1 && groups.has(call)
      const bare = words[0]?.startsWith('-') === true
      if ((name === undefined && !group && !bare) || unknown.length > 0) wrong.push(`${file}: truss ${call}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('scripts that pages tell to run exist', () => {
  // CAST: the part of the manifest that is read here
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = PAGES.flatMap((page) =>
    [...read(page).matchAll(/npm run ([a-z]+(?::[a-z]+)?)/g)].map((match) => match[1]),
  )
  assert.ok(named.length > 0)
  assert.deepEqual(
    named.filter((name) => !(name !== undefined && name in scripts)),
    [],
  )
})

test('decisions are numbered without gaps, and each says context, decision and consequences', () => {
  const pages = globSync('docs/adr/*.md').sort()
  assert.ok(pages.length > 0)
  for (const [at, page] of pages.entries()) {
    assert.match(page, new RegExp(`/${String(at + 1).padStart(4, '0')}-[a-z0-9-]+\\.md$`))
    const headings = [...read(page).matchAll(/^##? (.+)$/gm)].map((match) => match[1])
    assert.deepEqual(headings.slice(1), ['Context', 'Decision', 'Consequences'], page)
    assert.ok(read(page).split('\n').length <= 60, `${page}: more than a page`)
  }
})
