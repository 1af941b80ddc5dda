import { createHash } from 'node:crypto';
import { packTar, type TarEntry } from 'modern-tar';
import type { Architecture } from './pause-elf.ts';

/** A file, folder or symbolic link of an image. Paths are relative to the root of the image, without a leading slash. */
export type ImageFile =
  | { readonly path: string; readonly content: Uint8Array | string; readonly mode?: number }
  | { readonly path: string; readonly folder: true; readonly mode?: number }
  | { readonly path: string; readonly linkTo: string };

export interface ImageDescription {
  /** Full name with registry and tag, for example registry.ballast.dev/pause:1. */
  readonly reference: string;
  readonly architecture: Architecture;
  readonly files: readonly ImageFile[];
  readonly entrypoint: readonly string[];
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly exposedPorts?: readonly string[];
  /** 'uid:gid'. */
  readonly user?: string;
}

/** Builds are reproducible: the same input gives the same bytes, hence the same digest. */
const EPOCH = new Date(0);

function entryOf(file: ImageFile): TarEntry {
  const owner = { uid: 0, gid: 0, mtime: EPOCH };
  if ('linkTo' in file) {
    return { header: { ...owner, name: file.path, type: 'symlink', linkname: file.linkTo, size: 0, mode: 0o777 } };
  }
  if ('folder' in file) {
    return { header: { ...owner, name: `${file.path}/`, type: 'directory', size: 0, mode: file.mode ?? 0o755 } };
  }
  const body = Buffer.from(file.content);
  return { header: { ...owner, name: file.path, type: 'file', size: body.length, mode: file.mode ?? 0o644 }, body };
}

interface Blob {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

function blobOf(bytes: Uint8Array): Blob {
  return { digest: createHash('sha256').update(bytes).digest('hex'), bytes };
}

const jsonBlob = (value: object): Blob => blobOf(Buffer.from(JSON.stringify(value)));
const descriptor = (mediaType: string, blob: Blob) => ({
  mediaType,
  digest: `sha256:${blob.digest}`,
  size: blob.bytes.length,
});

/** An OCI image layout (image-spec 1.0) as one tar archive with a single image of a single layer, as `ctr images import` takes it. */
export async function buildOciArchive(image: ImageDescription): Promise<Uint8Array> {
  const layer = blobOf(await packTar(image.files.map(entryOf)));
  const config = jsonBlob({
    created: EPOCH.toISOString(),
    architecture: image.architecture,
    os: 'linux',
    config: {
      Entrypoint: image.entrypoint,
      Env: image.env ?? [],
      ...(image.workingDir === undefined ? {} : { WorkingDir: image.workingDir }),
      ...(image.user === undefined ? {} : { User: image.user }),
      ...(image.exposedPorts === undefined
        ? {}
        : { ExposedPorts: Object.fromEntries(image.exposedPorts.map((port) => [port, {}])) }),
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer.digest}`] },
    history: [{ created: EPOCH.toISOString(), created_by: 'ballast' }],
  });
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const index = jsonBlob({
    schemaVersion: 2,
    manifests: [
      {
        ...descriptor(manifestType, manifest),
        platform: { os: 'linux', architecture: image.architecture },
        annotations: {
          'io.containerd.image.name': image.reference,
          'org.opencontainers.image.ref.name': image.reference.slice(image.reference.lastIndexOf(':') + 1),
        },
      },
    ],
  });
  return packTar(
    [
      { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
      { path: 'index.json', content: index.bytes },
      { path: 'blobs', folder: true } as const,
      { path: 'blobs/sha256', folder: true } as const,
      ...[layer, config, manifest].map((blob) => ({ path: `blobs/sha256/${blob.digest}`, content: blob.bytes })),
    ].map(entryOf),
  );
}
