import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { BallastError } from '@ballast/base';

/** One file of a ZIP archive, as its central directory lists it (APPNOTE.TXT 4.3.12). */
export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_SIZE = 22;
const MAX_COMMENT = 0xffff;

function damaged(what: string): BallastError {
  return new BallastError('zip-damaged', `not a ZIP archive that can be read: ${what}`);
}

/** The entries of an archive held in memory. ZIP64 and encryption are not supported. */
export function listZip(archive: Buffer): ZipEntry[] {
  const lowest = Math.max(0, archive.length - END_SIZE - MAX_COMMENT);
  let end = archive.length - END_SIZE;
  while (end >= lowest && archive.readUInt32LE(end) !== END_SIGNATURE) end--;
  if (end < lowest || end < 0) throw damaged('it has no end record');
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  const entries: ZipEntry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > archive.length || archive.readUInt32LE(at) !== ENTRY_SIGNATURE)
      throw damaged('its directory is cut off');
    const nameLength = archive.readUInt16LE(at + 28);
    entries.push({
      name: archive.toString('utf8', at + 46, at + 46 + nameLength),
      method: archive.readUInt16LE(at + 10),
      compressedSize: archive.readUInt32LE(at + 20),
      size: archive.readUInt32LE(at + 24),
      headerOffset: archive.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}

/** The contents of one entry. */
export async function extractZipEntry(archive: Buffer, entry: ZipEntry): Promise<Buffer> {
  const { headerOffset: at, compressedSize, method } = entry;
  if (at + 30 > archive.length) throw damaged(`${entry.name} lies outside`);
  const start = at + 30 + archive.readUInt16LE(at + 26) + archive.readUInt16LE(at + 28);
  const packed = archive.subarray(start, start + compressedSize);
  if (packed.length !== compressedSize) throw damaged(`${entry.name} is cut off`);
  const content =
    method === 0 ? packed : method === 8 ? await promisify(inflateRaw)(packed).catch(() => undefined) : undefined;
  if (content?.length !== entry.size) throw damaged(`${entry.name} cannot be unpacked`);
  return content;
}

/** Reads an archive and one file of it. */
export async function readFromZip(path: string, name: string): Promise<Buffer> {
  const archive = await readFile(path);
  const entry = listZip(archive).find((one) => one.name === name);
  if (!entry) throw new BallastError('zip-entry-missing', `${path} holds no ${name}`);
  return extractZipEntry(archive, entry);
}
