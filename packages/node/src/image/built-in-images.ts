import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BallastError, type Logger, messageOf, writeFileAtomic } from '@ballast/base';
import { HELLO_CGI, HELLO_INIT } from './hello-scripts.ts';
import { buildOciArchive, type ImageDescription } from './oci-archive.ts';
import { type Architecture, buildPauseElf } from './pause-elf.ts';

/** The sandbox image. Nothing has to be pulled for the first pod of a node. */
export const PAUSE_IMAGE = 'registry.ballast.dev/pause:1';
/** A small web server that says which pod answered and which client address it saw; see hello-scripts.ts. */
export const HELLO_IMAGE = 'registry.ballast.dev/hello:1';
/** The same with another version text, to watch a rolling update. */
export const HELLO_IMAGE_NEXT = 'registry.ballast.dev/hello:2';

export function localArchitecture(): Architecture {
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64') return 'arm64';
  throw new BallastError('architecture-unsupported', `no images for processor architecture ${process.arch}`);
}

export function pauseImage(architecture: Architecture): ImageDescription {
  return {
    reference: PAUSE_IMAGE,
    architecture,
    files: [{ path: 'pause', content: buildPauseElf(architecture), mode: 0o755 }],
    entrypoint: ['/pause'],
    user: '65535:65535',
  };
}

/** Commands of the sample image: enough for a look around with kubectl exec and for network tests from inside a pod. */
const APPLETS =
  'sh ash awk cat chmod cp cut date df dirname dd echo env false find free grep head hostname httpd id ip kill ln ls md5sum mkdir mount mv nc netstat nslookup od ping ping6 ps pwd readlink rm rmdir sed seq sha256sum sleep sort stat stty tail tar tee test time timeout top touch tr traceroute true tty umount uname uniq vi wc wget whoami xargs'.split(
    ' ',
  );

export function helloImage(options: {
  version: number;
  architecture: Architecture;
  busybox: Uint8Array;
}): ImageDescription {
  const { version, architecture, busybox } = options;
  const folders = ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'root', 'www', 'www/cgi-bin', 'www/json'];
  return {
    reference: `registry.ballast.dev/hello:${version}`,
    architecture,
    files: [
      ...folders.map((path) => ({ path, folder: true as const, mode: path === 'tmp' ? 0o1777 : 0o755 })),
      { path: 'bin/busybox', content: busybox, mode: 0o755 },
      ...APPLETS.map((name) => ({ path: `bin/${name}`, linkTo: 'busybox' })),
      { path: 'bin/hello', content: HELLO_INIT, mode: 0o755 },
      { path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n' },
      { path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
      { path: 'www/healthz', content: 'ok\n' },
      { path: 'www/cgi-bin/index.cgi', content: HELLO_CGI, mode: 0o755 },
    ],
    entrypoint: ['/bin/hello'],
    env: ['PATH=/bin', `HELLO_VERSION=${version}`],
    workingDir: '/',
    exposedPorts: ['8080/tcp'],
  };
}

/** True when an ELF executable names no dynamic loader. */
export function isStaticElf(file: Uint8Array): boolean {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46) return false;
  const [offset, size, count] = [Number(bytes.readBigUInt64LE(32)), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  for (let i = 0; i < count; i += 1) {
    const at = offset + i * size;
    if (at + 4 > bytes.length) return false;
    if (bytes.readUInt32LE(at) === 3) return false; // interpreter
  }
  return true;
}

/**
 * Writes the images that Ballast brings as OCI archives into `imageDir`, where the agent imports them from. The sample images need a
 * static busybox; without one they are left out, with a warning.
 */
export async function writeBuiltInImages(options: {
  imageDir: string;
  busyboxPath?: string;
  logger: Logger;
}): Promise<void> {
  const architecture = localArchitecture();
  await mkdir(options.imageDir, { recursive: true });
  const images = [pauseImage(architecture)];
  const busyboxPath = options.busyboxPath ?? '/bin/busybox';
  try {
    const busybox = await readFile(busyboxPath);
    if (!isStaticElf(busybox)) throw new BallastError('busybox-dynamic', `${busyboxPath} is not statically linked`);
    for (const version of [1, 2]) images.push(helloImage({ version, architecture, busybox }));
  } catch (error) {
    options.logger.warn('sample images left out (install busybox-static to have them)', { reason: messageOf(error) });
  }
  for (const image of images) {
    const archive = Buffer.from(await buildOciArchive(image));
    const name = image.reference.slice(image.reference.indexOf('/') + 1).replace(':', '-');
    const path = join(options.imageDir, `${name}.tar`);
    const present = await readFile(path).catch(() => undefined);
    if (present === undefined || !present.equals(archive)) await writeFileAtomic(path, archive, 0o644);
  }
}
