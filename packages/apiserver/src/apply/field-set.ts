import { isObject, type PathElement } from './path-element.ts';

/**
 * A set of field paths as a tree, the in-memory form of FieldsV1. A node that is a member stands for its own path; its children stand for
 * longer ones. Immutable: operations return new sets and share what they can.
 */
export class FieldSet {
  readonly member: boolean;
  readonly children: ReadonlyMap<PathElement, FieldSet>;

  constructor(member: boolean, children: ReadonlyMap<PathElement, FieldSet>) {
    this.member = member;
    this.children = children;
  }

  static readonly empty = new FieldSet(false, new Map());

  get isEmpty(): boolean {
    return !this.member && this.children.size === 0;
  }

  child(element: PathElement): FieldSet {
    return this.children.get(element) ?? FieldSet.empty;
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    return this.#combine(
      other,
      [...this.children.keys(), ...other.children.keys()],
      this.member || other.member,
      (a, b) => a.union(b),
    );
  }

  intersection(other: FieldSet): FieldSet {
    return this.#combine(other, this.children.keys(), this.member && other.member, (a, b) => a.intersection(b));
  }

  difference(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    return this.#combine(other, this.children.keys(), this.member && !other.member, (a, b) => a.difference(b));
  }

  /** Without the paths of `other` and everything below them. */
  withoutSubtrees(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    if (other.member) return FieldSet.empty;
    return this.#combine(other, this.children.keys(), this.member, (a, b) => a.withoutSubtrees(b));
  }

  equals(other: FieldSet): boolean {
    if (this.member !== other.member || this.children.size !== other.children.size) return false;
    for (const [element, child] of this.children) if (!other.child(element).equals(child)) return false;
    return true;
  }

  /** Every path in the set. */
  *paths(prefix: readonly PathElement[] = []): Generator<readonly PathElement[]> {
    if (this.member) yield prefix;
    for (const [element, child] of this.children) yield* child.paths([...prefix, element]);
  }

  static ofPaths(paths: Iterable<readonly PathElement[]>): FieldSet {
    const builder = new FieldSetBuilder();
    for (const path of paths) builder.insert(path);
    return builder.build();
  }

  #combine(
    other: FieldSet,
    elements: Iterable<PathElement>,
    member: boolean,
    combine: (a: FieldSet, b: FieldSet) => FieldSet,
  ): FieldSet {
    const children = new Map<PathElement, FieldSet>();
    for (const element of elements) {
      if (children.has(element)) continue;
      const child = combine(this.child(element), other.child(element));
      if (!child.isEmpty) children.set(element, child);
    }
    return new FieldSet(member, children);
  }
}

interface Branch {
  member: boolean;
  readonly children: Map<PathElement, Branch>;
}

/** Collects paths into a FieldSet. */
export class FieldSetBuilder {
  readonly #root: Branch = { member: false, children: new Map() };

  insert(path: readonly PathElement[]): void {
    let branch = this.#root;
    for (const element of path) {
      let next = branch.children.get(element);
      if (!next) {
        next = { member: false, children: new Map() };
        branch.children.set(element, next);
      }
      branch = next;
    }
    branch.member = true;
  }

  build(): FieldSet {
    const freeze = (branch: Branch): FieldSet =>
      new FieldSet(branch.member, new Map(Array.from(branch.children, ([element, child]) => [element, freeze(child)])));
    return freeze(this.#root);
  }
}

/** FieldsV1 as objects carry it. A leaf is {}, a path that has longer ones below it carries '.'. */
export function formatFieldsV1(set: FieldSet): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  if (set.member && set.children.size > 0) fields['.'] = {};
  for (const element of [...set.children.keys()].sort()) fields[element] = formatFieldsV1(set.child(element));
  return fields;
}

/** Reads FieldsV1; what is not of its form is left out, so that a client's odd entry costs only its own ownership. */
export function parseFieldsV1(fields: unknown, depth = 0): FieldSet {
  if (!isObject(fields) || depth > 100) return new FieldSet(true, new Map());
  const children = new Map<PathElement, FieldSet>();
  let member = false;
  for (const [key, value] of Object.entries(fields)) {
    if (key === '.') member = true;
    else if (isElement(key)) children.set(key, parseFieldsV1(value, depth + 1));
  }
  return new FieldSet(member || (children.size === 0 && depth > 0), children);
}

function isElement(key: string): boolean {
  if (key.startsWith('f:')) return true;
  if (!key.startsWith('k:') && !key.startsWith('v:')) return false;
  try {
    const parsed: unknown = JSON.parse(key.slice(2));
    return key[0] === 'v' || isObject(parsed);
  } catch {
    return false;
  }
}
