// A private network for a test: a namespace for each host, joined by a forwarder, its addresses, delays, losses and partitions.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection, createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'

/** Opens TUN devices, which takes an ioctl that Node lacks, and becomes the forwarder with them. */
const OPENER = `
$^F = 255;
my ($node, $script, @pairs) = @ARGV;
my (@open, @args);
for (@pairs) {
  my ($address, $name) = split /=/;
  open(my $tun, '+<', '/dev/net/tun') or die "open /dev/net/tun: $!";
  my $request = pack('Z16 s x22', $name, 0x1001);
  ioctl($tun, 0x400454ca, $request) or die "make $name: $!";
  push @open, $tun;
  push @args, '--device', "$address=" . fileno($tun);
}
exec $node, $script, @args;
`
const FORWARDER = fileURLToPath(new URL('../faults/entries/forwarder.ts', import.meta.url))
const NETWORK = '10.77.0'
const HUB = `${NETWORK}.1`

/** Whether this process lives in a network namespace made for it. */
export const isPrivate = process.env.FAULT_NAMESPACE === 'private'

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** The hub is the namespace of this process; it goes, with all that is in it, when the last process in it ends. */
export class PrivateNetwork {
  /** The address at which every host reaches this process. */
  readonly hub = HUB
  readonly #hosts: readonly string[]
  readonly #forwarder: ChildProcess
  readonly #doors: Server[] = []
  /** The addresses of hosts that have another one than at first. */
  readonly #moved = new Map<string, string>()

  private constructor(hosts: readonly string[], forwarder: ChildProcess) {
    this.#hosts = hosts
    this.#forwarder = forwarder
  }

  /** Makes a namespace with an address of its own for each host. */
  static async open(hosts: readonly string[]): Promise<PrivateNetwork> {
    if (!isPrivate) throw new Error('open private network: `npm run test:faults` makes the namespace for it')
    const all = [HUB, ...hosts.map((_, at) => `${NETWORK}.${at + 2}`)]
    const devices = all.map((address, at) => `${address}=tun${at}`)
    const args = ['-e', OPENER, process.execPath, FORWARDER, ...devices]
    const forwarder = spawn('perl', args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, UV_THREADPOOL_SIZE: '32' },
    })
    await Promise.race([
      once(forwarder.stdout, 'data'),
      once(forwarder, 'exit').then(() => Promise.reject(new Error('the forwarder ended'))),
    ])
    const network = new PrivateNetwork(hosts, forwarder)
    network.#up('tun0', HUB, [])
    for (const [at, host] of hosts.entries()) {
      ip('netns', 'add', host)
      ip('link', 'set', `tun${at + 1}`, 'netns', host)
      ip('-n', host, 'link', 'set', 'lo', 'up')
      network.#up(`tun${at + 1}`, network.address(host), ['-n', host])
    }
    return network
  }

  /** Ends the forwarder and forgets the namespaces; whoever lives in them has to be gone. */
  async close(): Promise<void> {
    for (const door of this.#doors) door.close()
    this.#forwarder.stdin?.end()
    if (this.#forwarder.signalCode === null) await once(this.#forwarder, 'exit')
    for (const host of this.#hosts) ip('netns', 'del', host)
  }

  address(host: string): string {
    const moved = this.#moved.get(host)
    if (moved !== undefined) return moved
    return `${NETWORK}.${this.#hosts.indexOf(host) + 2}`
  }

  /** What runs a command in the namespace of a host. */
  inside(host: string): readonly string[] {
    return ['ip', 'netns', 'exec', host]
  }

  /** Opens the port of the hub's address that leads to the same port of its loopback. */
  async door(port: number): Promise<void> {
    const server = createServer((socket) => {
      const inner = createConnection(port, '127.0.0.1')
      for (const [one, other] of [
        [socket, inner],
        [inner, socket],
      ] as const)
        one.on('error', () => other.destroy()).on('close', () => other.destroy())
      socket.pipe(inner).pipe(socket)
    })
    this.#doors.push(server)
    await new Promise<void>((resolve) => void server.listen(port, HUB, resolve))
  }

  /** Packets between each two of the hosts are late, and some are lost; the hub is near to all. */
  weather({ delayMs, loss }: { delayMs: number; loss: number }): void {
    const addresses = this.#hosts.map((host) => this.address(host))
    for (const from of addresses)
      for (const to of addresses)
        if (from !== to) this.#forwarder.stdin?.write(`${JSON.stringify({ from, to, delayMs, loss })}\n`)
  }

  /** Cuts the network in two, silently: these hosts here, all others there; both still reach the hub. */
  cut(side: readonly string[]): void {
    const near = [HUB, ...side.map((host) => this.address(host))].join(', ')
    for (const host of side)
      this.#nft(
        host,
        ['in saddr input', 'out daddr output']
          .map((line) => line.split(' '))
          .map(
            ([chain, direction, hook]) => `
add table ip cut
add chain ip cut ${chain} { type filter hook ${hook} priority 0; }
add rule ip cut ${chain} ip ${direction} != { ${near} } ip ${direction} ${NETWORK}.0/24 drop
`,
          )
          .join(''),
      )
  }

  /** Takes every cut away. */
  heal(): void {
    for (const host of this.#hosts) this.#nft(host, 'add table ip cut\ndelete table ip cut\n')
  }

  /** Gives a host another address; connections from the one before die silently. */
  move(host: string, address: string): void {
    const at = this.#hosts.indexOf(host) + 1
    ip('-n', host, 'addr', 'flush', 'dev', `tun${at}`)
    ip('-n', host, 'addr', 'add', `${address}/24`, 'dev', `tun${at}`)
    this.#moved.set(host, address)
  }

  #up(device: string, address: string, where: readonly string[]): void {
    ip(...where, 'addr', 'add', `${address}/24`, 'dev', device)
    ip(...where, 'link', 'set', device, 'mtu', '1400', 'up')
  }

  #nft(host: string, rules: string): void {
    execFileSync('ip', ['netns', 'exec', host, 'nft', '-f', '-'], { input: rules })
  }
}
