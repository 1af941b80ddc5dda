import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BallastError, errnoOf, messageOf, writeFileAtomic } from '@ballast/base';

/** A fresh EC P-256 private key. */
export function generateKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** Private key as PKCS#8 PEM. */
export function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The text of a file, or undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new BallastError('state-unreadable', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  });
}

/** Writes a secret: mode 0600 in a folder of mode 0700. */
export async function writeSecret(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, content);
}

/** The private key in `path`, made first when the file does not exist. */
export async function ensureKey(path: string): Promise<KeyObject> {
  const text = await readIfThere(path);
  if (text !== undefined) {
    try {
      return createPrivateKey(text);
    } catch (error) {
      throw new BallastError('state-damaged', `${path} holds no private key: ${messageOf(error)}`, { cause: error });
    }
  }
  const key = generateKey();
  await writeSecret(path, keyPem(key));
  return key;
}
