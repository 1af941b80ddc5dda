import { createHash, randomBytes } from 'node:crypto';
import { BallastError } from '@ballast/base';
import { z } from 'zod';
import { secretEquals } from './join-token.ts';
import { readIfThere, writeSecret } from './key-files.ts';

/** The password by which this machine holds its node name; made at first. */
export async function ownNodePassword(path: string): Promise<string> {
  const kept = (await readIfThere(path))?.trim();
  if (kept !== undefined) return kept;
  const password = randomBytes(24).toString('base64url');
  await writeSecret(path, `${password}\n`);
  return password;
}

const fileSchema = z.record(z.string(), z.string());

/** Which machine holds which node name: the hash of the password it made for itself. Node passwords are random, so a plain hash will do. */
export class NodePasswords {
  readonly #path: string;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** True when the name was free, or is held with this very password. */
  claim(nodeName: string, password: string): Promise<boolean> {
    // One after the other: two machines of one name that join at once must not both win.
    const claimed = this.#writing.then(() => this.#claim(nodeName, password));
    this.#writing = claimed.catch(() => {});
    return claimed;
  }

  async #claim(nodeName: string, password: string): Promise<boolean> {
    const hashes = await this.#read();
    const hash = createHash('sha256').update(password).digest('hex');
    const held = Object.hasOwn(hashes, nodeName) ? hashes[nodeName] : undefined;
    if (held !== undefined) return secretEquals(held, hash);
    await writeSecret(this.#path, `${JSON.stringify({ ...hashes, [nodeName]: hash }, null, 2)}\n`);
    return true;
  }

  async #read(): Promise<Record<string, string>> {
    const text = await readIfThere(this.#path);
    if (text === undefined) return {};
    try {
      return fileSchema.parse(JSON.parse(text));
    } catch (error) {
      throw new BallastError('state-damaged', `${this.#path} is damaged; remove it to let every machine join anew`, {
        cause: error,
      });
    }
  }
}
