import { type FieldRequirement, matchesRequirements, type Requirement } from '@ballast/kube';
import { type ApiObject, textAt } from '../object/api-object.ts';
import { parseObject, withRevision } from '../object/stored-form.ts';

/** How a field that selectors may name is read from an object. An absent field reads as ''. */
export type FieldReader = (object: ApiObject) => string;
export type FieldReaders = Readonly<Record<string, FieldReader>>;

/** The object's state at one revision: immutable, shared by every list, watch and get. */
export class CachedObject {
  /** 'namespace/name', or 'name'. */
  readonly key: string;
  readonly revision: number;
  /** The JSON that answers a GET, resourceVersion included. */
  readonly bytes: Buffer;
  #labels: Readonly<Record<string, string>> | undefined;
  #fields: Map<string, string> | undefined;

  constructor(key: string, revision: number, bytes: Buffer) {
    this.key = key;
    this.revision = revision;
    this.bytes = bytes;
  }

  static fromStored(key: string, revision: number, stored: Uint8Array): CachedObject {
    const buffer = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
    return new CachedObject(key, revision, withRevision(buffer, revision));
  }

  /** The last state of a deleted object carries the revision of its deletion. */
  deletedAt(revision: number): CachedObject {
    const last = new CachedObject(this.key, revision, withRevision(this.bytes, revision));
    last.#labels = this.#labels;
    last.#fields = this.#fields;
    return last;
  }

  get namespace(): string {
    const slash = this.key.indexOf('/');
    return slash < 0 ? '' : this.key.slice(0, slash);
  }

  get name(): string {
    return this.key.slice(this.key.indexOf('/') + 1);
  }

  /** A fresh copy that the caller may change. */
  parse(): ApiObject {
    return parseObject(this.bytes);
  }

  matches(selection: Selection): boolean {
    if (selection.namespace !== undefined && !this.key.startsWith(`${selection.namespace}/`)) return false;
    if (selection.labels.length === 0 && selection.fields.length === 0) return true;
    for (const { path, equal, value } of selection.fields) {
      if ((this.#field(path, selection.readers) === value) !== equal) return false;
    }
    return selection.labels.length === 0 || matchesRequirements(selection.labels, this.#labelsOf(selection.readers));
  }

  #field(path: string, readers: FieldReaders): string {
    if (path === 'metadata.name') return this.name;
    if (path === 'metadata.namespace') return this.namespace;
    return this.#read(readers).get(path) ?? '';
  }

  #labelsOf(readers: FieldReaders): Readonly<Record<string, string>> {
    this.#read(readers);
    return this.#labels ?? {};
  }

  /** Parses once, on the first selector that asks, and keeps only what selectors can name. */
  #read(readers: FieldReaders): Map<string, string> {
    if (!this.#fields) {
      const object = this.parse();
      this.#labels = object.metadata.labels ?? {};
      this.#fields = new Map(Object.entries(readers).map(([path, read]) => [path, read(object)]));
    }
    return this.#fields;
  }
}

/** Which objects of a resource a list or watch wants. */
export interface Selection {
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly labels: readonly Requirement[];
  readonly fields: readonly FieldRequirement[];
  readonly readers: FieldReaders;
}

/** A reader for a text field at a path. */
export function textField(...path: readonly string[]): FieldReader {
  return (object) => textAt(object, ...path) ?? '';
}
