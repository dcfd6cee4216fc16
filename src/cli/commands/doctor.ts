import { Command } from 'commander';
import { automaticDevice, type DeviceReport, probeDevices } from '../../runtime/devices.ts';
import { describeMachine, type Machine } from '../../runtime/machine.ts';
import { bytes, oneLine } from '../../text.ts';
import { exampleText, execute, type Outcome, type Terminal } from '../command.ts';

/** One thing that was looked at. */
interface Line {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
  /** What to do when it is not. */
  readonly remedy?: string;
}

export function doctorCommand(terminal: Terminal, outcome: Outcome): Command {
  return new Command('doctor')
    .description('what this machine has, which devices are usable, and what to do about the others')
    .addHelpText('after', exampleText(['courier doctor', 'courier doctor --json']))
    .option('--json', 'end standard output with one JSON object')
    .action((options: { json?: boolean }) =>
      execute(options, terminal, outcome, async ({ print }) => {
        const [machine, devices] = await Promise.all([describeMachine(process.cwd()), probeDevices()]);
        const ok = isHealthy(machine, devices);
        print(describeFindings(machine, devices));
        if (!ok) outcome.exitCode = 1;
        return { ok, machine, devices, automatic: automaticDevice(devices) };
      }),
    );
}

/** Whether courier can work here at all: a GPU, more memory, more disk are not essential. */
export function isHealthy(machine: Machine, devices: readonly DeviceReport[]): boolean {
  return machine.node.newEnough && devices.some(({ device, usable }) => device === 'cpu' && usable);
}

/** The findings as text: a mark, a name and what was found on a line each, below it what to do. */
export function describeFindings(machine: Machine, devices: readonly DeviceReport[]): string {
  const lines = [...machineLines(machine), ...devices.map(deviceLine)];
  const width = Math.max(...lines.map(({ name }) => name.length));
  const indent = ' '.repeat(width + 6);
  const automatic = automaticDevice(devices);
  const rows = lines.map(({ name, ok, text, remedy }) => {
    const row = `${ok ? 'ok' : '– '}  ${name.padEnd(width)}  ${oneLine(text, 400)}`;
    return ok || remedy === undefined ? row : `${row}\n${indent}→ ${remedy}`;
  });
  return [`courier ${machine.courier}`, '', ...rows, '', `The device "auto" is ${automatic} here.`].join(
    '\n',
  );
}

/** Less free disk than this is worth a word. */
const littleDisk = 2 ** 30;

function machineLines({
  node,
  system,
  processor,
  memory,
  disk,
  libraries,
  binding,
  mpi,
}: Machine): readonly Line[] {
  const { model, cores, vectors } = processor;
  const limited = memory.usable < memory.total ? `, limited to ${bytes(memory.usable)} here` : '';
  return [
    {
      name: 'Node.js',
      ok: node.newEnough,
      text: `${node.version} (${node.oldest} or newer is needed)`,
      remedy: `Install Node.js ${node.oldest} or newer from https://nodejs.org.`,
    },
    { name: 'system', ok: true, text: system },
    {
      name: 'processor',
      ok: true,
      text: [
        model,
        `${cores} ${cores === 1 ? 'core' : 'cores'}`,
        ...(vectors === null ? [] : [vectors]),
      ].join(', '),
    },
    { name: 'memory', ok: true, text: `${bytes(memory.total)}${limited}, ${bytes(memory.free)} free` },
    {
      name: 'disk',
      ok: disk.free >= littleDisk,
      text: `${bytes(disk.free)} free in ${disk.folder}`,
      remedy: 'Make room, or work on another disk.',
    },
    {
      name: 'libraries',
      ok: true,
      text: Object.entries(libraries)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    },
    { name: 'binding', ok: true, text: `${binding.binding}: ${binding.reason}` },
    {
      name: 'MPI',
      ok: mpi.found,
      text: mpi.found
        ? `${mpi.version} (${mpi.library}, as ${mpi.interface} is called)`
        : `for one process only: ${mpi.reason}`,
      remedy: 'For several processes or machines: install MPICH (Debian: mpich) or Open MPI.',
    },
  ];
}

function deviceLine(report: DeviceReport): Line {
  return report.usable
    ? { name: report.device, ok: true, text: report.detail }
    : { name: report.device, ok: false, text: `not usable: ${report.reason}`, remedy: report.remedy };
}
