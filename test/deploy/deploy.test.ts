import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { courier } from '../support/terminal.ts';

const fileOf = (name: string) => fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url));

const quantity = z.union([z.int().positive(), z.string().regex(/^\d+(\.\d+)?(m|Ki|Mi|Gi|Ti|k|M|G|T)?$/)]);
const resources = z.partialRecord(z.enum(['cpu', 'memory', 'nvidia.com/gpu']), quantity);
const name = z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

const podTemplate = z.strictObject({
  spec: z
    .strictObject({
      containers: z
        .array(
          z.strictObject({
            name,
            image: z.string().min(1),
            workingDir: z.string().startsWith('/'),
            securityContext: z.strictObject({ runAsUser: z.int() }),
            // A number without quotes would be refused.
            args: z.array(z.string()),
            readinessProbe: z
              .strictObject({
                tcpSocket: z.strictObject({ port: z.int().min(1).max(65_535) }),
                initialDelaySeconds: z.int(),
              })
              .optional(),
            volumeMounts: z.array(z.strictObject({ name, mountPath: z.string().startsWith('/') })),
            resources: z.strictObject({ requests: resources, limits: resources }),
          }),
        )
        .length(1),
      volumes: z.array(z.strictObject({ name, persistentVolumeClaim: z.strictObject({ claimName: name }) })),
    })
    .refine(({ containers, volumes }) =>
      containers.every(({ volumeMounts }) =>
        volumeMounts.every((mount) => volumes.some((volume) => volume.name === mount.name)),
      ),
    ),
});

const replicas = z.strictObject({
  replicas: z.int().min(1),
  restartPolicy: z.enum(['Always', 'OnFailure', 'Never', 'ExitCode']).optional(),
  template: podTemplate,
});

/** The fields of the custom resource, as mpi-operator's pkg/apis/kubeflow/v2beta1/types.go has them; nothing else passes. */
const mpiJob = z.strictObject({
  apiVersion: z.literal('kubeflow.org/v2beta1'),
  kind: z.literal('MPIJob'),
  metadata: z.strictObject({ generateName: z.string().regex(/^[a-z0-9][-a-z0-9]*$/) }),
  spec: z.strictObject({
    slotsPerWorker: z.int().min(1),
    mpiImplementation: z.enum(['OpenMPI', 'Intel', 'MPICH']),
    sshAuthMountPath: z.string().startsWith('/'),
    runPolicy: z.strictObject({
      cleanPodPolicy: z.enum(['All', 'Running', 'None']),
      ttlSecondsAfterFinished: z.int().optional(),
      activeDeadlineSeconds: z.int().positive().optional(),
      backoffLimit: z.int().min(0).optional(),
      suspend: z.boolean().optional(),
    }),
    mpiReplicaSpecs: z.strictObject({ Launcher: replicas, Worker: replicas }),
  }),
});

/** The words of a command line of courier are ones that it knows: help is printed, and nothing is done. */
async function expectKnownWords(words: readonly string[]): Promise<void> {
  const { exitCode, stdout } = await courier(...words, '--help');
  expect(exitCode).toBe(0);
  for (const option of words.filter((word) => word.startsWith('--'))) expect(stdout).toContain(option);
}

describe('what starts courier on several machines', () => {
  it('is for Kubernetes a resource of the MPI Operator, with as many processes as it has places', async () => {
    const { spec } = mpiJob.parse(parse(await readFile(fileOf('mpi-job.yaml'), 'utf8')));
    const { Launcher, Worker } = spec.mpiReplicaSpecs;
    const [container] = Launcher.template.spec.containers;
    const [launcher, option, processes, program, ...words] = container!.args;
    expect([launcher, option, program]).toEqual(['mpirun', '-n', 'courier']);
    expect(Number(processes)).toBe(Worker.replicas * spec.slotsPerWorker);
    await expectKnownWords(words);
  });

  it('mounts one storage at one path in all pods, and runs where that is', async () => {
    const { spec } = mpiJob.parse(parse(await readFile(fileOf('mpi-job.yaml'), 'utf8')));
    const places = Object.values(spec.mpiReplicaSpecs).map(({ template: { spec: pod } }) => {
      const { image, workingDir, volumeMounts } = pod.containers[0]!;
      return { image, workingDir, volumeMounts, volumes: pod.volumes };
    });
    expect(places[0]).toEqual(places[1]);
    expect(places[0]!.volumeMounts.map(({ mountPath }) => mountPath)).toContain(places[0]!.workingDir);
  });

  it('is in the documentation of words that courier knows', async () => {
    const text = await readFile(new URL('../../docs/scale.md', import.meta.url), 'utf8');
    const lines = [...text.matchAll(/^mpirun -n \d+ courier (.+)$/gm)];
    expect(lines.length).toBeGreaterThan(4);
    for (const [, words = ''] of lines) await expectKnownWords(words.split(' '));
  });

  it('is for Slurm a script that a shell understands, of known words', async () => {
    await promisify(execFile)('bash', ['-n', fileOf('courier.slurm')]);
    const text = (await readFile(fileOf('courier.slurm'), 'utf8')).replaceAll('\\\n', ' ');
    const [, words = ''] = /^\s*srun .*? courier (.*)$/m.exec(text) ?? [];
    expect(words).toContain('--out');
    await expectKnownWords(words.replaceAll('"', '').split(/\s+/).filter(Boolean));
  });
});
