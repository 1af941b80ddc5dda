import { chmod, chown, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BallastError, messageOf } from '@ballast/base';
import { type Pod, parseQuantity, type Volume } from '@ballast/kube';
import { run } from '@ballast/linux';
import { writeAtomically } from './atomic-writer.ts';
import { checkHostPath } from './host-path.ts';
import { type PayloadContext, volumePayload } from './payload.ts';

export interface VolumeDirs {
  /** Survives a reboot: emptyDir. */
  readonly persistent: string;
  /** In memory: everything that came from the API, since there are secrets among it. */
  readonly volatile: string;
}

/** A volume that cannot be set up; `volume` names it. The worker tries again. */
export class VolumeError extends BallastError<'volume-failed'> {
  readonly volume: string;

  constructor(volume: string, cause: unknown) {
    super('volume-failed', `MountVolume.SetUp failed for volume "${volume}" : ${messageOf(cause)}`, { cause });
    this.volume = volume;
  }
}

function placeOf(dirs: VolumeDirs, uid: string, volume: Volume): string {
  const fromApi = volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected;
  return join(fromApi ? dirs.volatile : dirs.persistent, uid, 'volumes', volume.name);
}

/** Sets up the volumes of a pod, or brings them up to date. Returns where each is on the node. */
export async function prepareVolumes(options: {
  readonly pod: Pod;
  readonly dirs: VolumeDirs;
  readonly context: PayloadContext;
}): Promise<Map<string, string>> {
  const { pod, dirs, context } = options;
  const places = new Map<string, string>();
  for (const volume of pod.spec?.volumes ?? []) {
    try {
      places.set(volume.name, await prepareVolume({ pod, volume, dirs, context }));
    } catch (error) {
      throw new VolumeError(volume.name, error);
    }
  }
  return places;
}

async function prepareVolume(options: {
  pod: Pod;
  volume: Volume;
  dirs: VolumeDirs;
  context: PayloadContext;
}): Promise<string> {
  const { pod, volume, dirs, context } = options;
  const gid = pod.spec?.securityContext?.fsGroup;
  const place = placeOf(dirs, pod.metadata.uid ?? '', volume);
  if (volume.hostPath) {
    await checkHostPath(volume.hostPath.path, volume.hostPath.type);
    return volume.hostPath.path;
  }
  if (volume.emptyDir) {
    await mkdir(place, { recursive: true });
    if (volume.emptyDir.medium === 'Memory' && !(await isMountPoint(place))) {
      const limit = Math.ceil(parseQuantity(volume.emptyDir.sizeLimit));
      const size = limit > 0 ? ['-o', `size=${limit}`] : [];
      await run('mount', ['-t', 'tmpfs', ...size, 'tmpfs', place]);
    }
    await chmod(place, gid === undefined ? 0o777 : 0o2777);
    if (gid !== undefined) await chown(place, 0, gid);
    return place;
  }
  const payload = await volumePayload(volume, context);
  if (payload) {
    await writeAtomically({ target: place, payload, gid });
    return place;
  }
  const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
  throw new BallastError('volume-unsupported', `volumes of type ${kind} are not supported by this node`);
}

async function isMountPoint(path: string): Promise<boolean> {
  const [own, parent] = await Promise.all([stat(path), stat(join(path, '..'))]);
  return own.dev !== parent.dev;
}

/** Unmounts and removes everything of a pod's volumes. hostPath volumes are not ours to remove. */
export async function removeVolumes(dirs: VolumeDirs, uid: string): Promise<void> {
  // Joined with the folder of all pods, such a name would remove more than one pod's.
  if (uid === '' || uid.startsWith('.') || uid.includes('/')) return;
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const prefix = `${join(dirs.persistent, uid)}/`;
  const places = mounts
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((place) => place.startsWith(prefix));
  for (const place of places.toReversed()) await run('umount', [place]);
  await rm(join(dirs.persistent, uid), { recursive: true, force: true });
  await rm(join(dirs.volatile, uid), { recursive: true, force: true });
}

/** Pods that have folders on this node, by uid: leftovers are cleaned at the start. */
export async function podsWithVolumes(dirs: VolumeDirs): Promise<Set<string>> {
  const lists = await Promise.all([dirs.persistent, dirs.volatile].map((dir) => readdir(dir).catch(() => [])));
  return new Set(lists.flat());
}
