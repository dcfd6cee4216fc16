/**
 * Two hosts on this machine: network namespaces with an address and a host name each, joined by a pair of virtual network cards
 * whose bandwidth and delay tc limits; a kernel that cannot delay packets has a program between the cards that does. Whoever is
 * root on Linux with iproute2 and MPICH can make them.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasMpi, type Ran, whatItSaid } from './mpi.ts';

/** What joins the hosts, in either direction. */
export interface Wire {
  readonly bitsPerSecond: number;
  /** From one to the other. */
  readonly milliseconds: number;
}

/** The name of the network card, the same in both. */
const card = 'wire';

const hasPrograms = ['/usr/sbin/ip', '/usr/sbin/tc', '/usr/bin/unshare'].every((path) => existsSync(path));

/** A kernel that forbids namespaces is no fault of whoever runs the tests, so it may skip them even where nothing else may. */
const mayMakeHosts = process.getuid?.() === 0 && (!hasPrograms || canMakeNamespace());

export const hasTwoHosts =
  hasMpi && mayMakeHosts && (hasPrograms || process.env['COURIER_SKIP_NOTHING'] === '1');

/** Says in a suite's name why it is skipped. */
export const onTwoHosts =
  'on two hosts (needs root, a kernel that allows network namespaces, iproute2 and MPICH)';

/** Longer than anything here takes. */
const milliseconds = 100_000;

export class TwoHosts {
  readonly addresses: readonly string[];
  readonly #names: readonly string[];
  readonly #launcher: string;
  readonly #relay: ChildProcess | null;

  private constructor(
    names: readonly string[],
    addresses: readonly string[],
    launcher: string,
    relay: ChildProcess | null,
  ) {
    this.#names = names;
    this.addresses = addresses;
    this.#launcher = launcher;
    this.#relay = relay;
  }

  /** @throws Error with what ip or tc said */
  static async make(wire: Wire): Promise<TwoHosts> {
    const names = [1, 2].map((number) => `courier-${process.pid}-${number}`);
    const addresses = names.map((_, place) => `10.231.17.${place + 1}`);
    const folder = await mkdtemp(join(tmpdir(), 'courier-hosts-'));
    const launcher = join(folder, 'launcher');
    try {
      removeAll(forgotten());
      for (const name of names) run('ip', 'netns', 'add', name);
      const relay = joinByPair(names, wire) ? null : await joinByRelay(names, wire);
      for (const [place, name] of names.entries()) {
        run('ip', '-n', name, 'address', 'add', `${addresses[place]}/24`, 'dev', card);
        for (const link of ['lo', card]) run('ip', '-n', name, 'link', 'set', link, 'up');
      }
      await writeFile(launcher, launcherOf(names, addresses));
      await chmod(launcher, 0o755);
      return new TwoHosts(names, addresses, launcher, relay);
    } catch (error) {
      removeAll(names);
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  /** Starts a program of TypeScript in a process on each host. @param words the file, and what it is told */
  async mpirun(words: readonly string[]): Promise<Ran> {
    const node = [process.execPath, '--import', import.meta.resolve('tsx')];
    const mpi = ['-launcher', 'ssh', '-launcher-exec', this.#launcher, '-iface', card];
    const hosts = ['-hosts', this.addresses.join(','), '-ppn', '1', '-n', '2'];
    const started = ['exec', 'mpirun', ...mpi, ...hosts, ...node, ...words];
    // mpirun itself is started on the first host in the way in which it starts the others.
    const child = spawn(this.#launcher, [this.addresses[0]!, ...started.map(quoted)], {
      env: { ...process.env, COURIER_THREADS: '1', UCX_TLS: 'tcp,self', UCX_NET_DEVICES: card },
      timeout: milliseconds,
    });
    return whatItSaid(child);
  }

  /** Bytes that went over the wire so far, with their headers, either way. */
  bytes(): number {
    const [one] = this.#names;
    const [link] = JSON.parse(run('ip', '-n', one!, '-s', '-j', 'link', 'show', card));
    return link.stats64.tx.bytes + link.stats64.rx.bytes;
  }

  async remove(): Promise<void> {
    this.#relay?.kill();
    removeAll(this.#names);
    await rm(dirname(this.#launcher), { recursive: true, force: true });
  }
}

function run(...[program, ...words]: [string, ...string[]]): string {
  return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** @returns false, with nothing made, where the kernel cannot delay packets */
function joinByPair([one, two]: readonly string[], { bitsPerSecond, milliseconds }: Wire): boolean {
  run('ip', 'link', 'add', card, 'netns', one!, 'type', 'veth', 'peer', 'name', card, 'netns', two!);
  const slow = ['netem', 'rate', `${bitsPerSecond}bit`, 'delay', `${milliseconds}ms`, 'limit', '20000'];
  const add = ['qdisc', 'add', 'dev', card, 'root', ...slow];
  const delays = [one!, two!].every((name) => spawnSync('tc', ['-n', name, ...add]).status === 0);
  if (!delays) run('ip', '-n', one!, 'link', 'delete', card);
  return delays;
}

async function joinByRelay(names: readonly string[], wire: Wire): Promise<ChildProcess> {
  const slow = ['tbf', 'rate', `${wire.bitsPerSecond}bit`, 'burst', '64k', 'latency', '200ms'];
  for (const name of names) {
    run('ip', '-n', name, 'tuntap', 'add', 'dev', card, 'mode', 'tun');
    // Few and long packets are less work for the relay.
    run('ip', '-n', name, 'link', 'set', card, 'mtu', '16000');
    run('tc', '-n', name, 'qdisc', 'add', 'dev', card, 'root', ...slow);
  }
  const program = fileURLToPath(new URL('./delayed-wire-program.ts', import.meta.url));
  const words = ['--import', import.meta.resolve('tsx'), program, card, String(wire.milliseconds), ...names];
  const relay = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  await Promise.race([once(relay.stdout, 'data'), once(relay, 'close')]);
  if (relay.exitCode !== null) throw new Error(`the wire ended with ${relay.exitCode}`);
  return relay;
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** With whoever still runs on them: a process whose launcher was killed waits for the others all the time. */
function removeAll(names: readonly string[]): void {
  for (const name of names) {
    const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
    for (const pid of stdout.split('\n').filter(Boolean)) end(Number(pid));
    spawnSync('ip', ['netns', 'delete', name]);
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Hosts of processes that were killed. */
function forgotten(): readonly string[] {
  const hosts = run('ip', 'netns', 'list').matchAll(/^(courier-(\d+)-\d)/gm);
  return [...hosts].flatMap(([, name = '', pid]) => (existsSync(`/proc/${pid}`) ? [] : name));
}

function canMakeNamespace(): boolean {
  return spawnSync('unshare', ['--net', '--uts', '--mount', 'true']).status === 0;
}

/** What MPICH takes for ssh: `launcher [-x] ADDRESS WORDS` has a shell run the words on that host. */
function launcherOf(names: readonly string[], addresses: readonly string[]): string {
  const cases = names.map((name, place) => `  ${addresses[place]}) name=${name} ;;`);
  return `#!/bin/sh
if [ "$1" = -x ]; then shift; fi
case "$1" in
${cases.join('\n')}
  *) echo "no host $1" >&2; exit 1 ;;
esac
shift
exec ip netns exec "$name" unshare --uts sh -c "hostname $name && $*"
`;
}
