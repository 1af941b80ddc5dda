import { BallastError } from '@ballast/base';
import { CONTAINERS, type Container } from './element.ts';

/**
 * An nft that knows as much of its language as this room speaks: tables, chains, containers and their elements. It obeys the kernel's
 * rules (all or nothing, no element twice, nothing deleted that is not there, no verdict into a missing chain) and prints itself like
 * `nft list`. Rules are kept as text.
 */
export class FakeNft {
  #tables = new Map<string, FakeTable>();

  /** Scripts applied so far. */
  applied = 0;

  /** When set, the next scripts fail with this error and change nothing. */
  failure: Error | undefined;

  apply(script: string): void {
    this.applied += 1;
    if (this.failure) throw this.failure;
    const tables = new Map([...this.#tables].map(([name, table]) => [name, copyOf(table)]));
    for (const line of script.split('\n')) if (line.trim() !== '') execute(tables, line);
    this.#tables = tables;
  }

  /** What a container of a table holds: key to value ('' in sets). */
  elements(table: string, container: string): ReadonlyMap<string, string> {
    return this.#tables.get(table)?.containers.get(container) ?? new Map();
  }

  /** The containers of element changes; 'seal' and 'affinity' are not among them. */
  containers(table: string): Container[] {
    const known = this.#tables.get(table)?.containers;
    return CONTAINERS.filter((container) => known?.has(container));
  }

  chains(table: string): ReadonlyMap<string, readonly string[]> {
    return this.#tables.get(table)?.chains ?? new Map();
  }

  hasTable(table: string): boolean {
    return this.#tables.has(table);
  }

  /** Everything as text, in a stable order. */
  dump(): string {
    const lines: string[] = [];
    for (const [name, table] of [...this.#tables].toSorted()) {
      lines.push(`table ${name} {`);
      for (const [container, elements] of table.containers) {
        if (elements.size === 0) continue;
        lines.push(`  ${container} {`);
        for (const [key, value] of [...elements].toSorted())
          lines.push(`    ${key}${value === '' ? '' : ` : ${value}`}`);
        lines.push('  }');
      }
      lines.push('}');
    }
    return lines.join('\n');
  }
}

interface FakeTable {
  readonly containers: Map<string, Map<string, string>>;
  readonly chains: Map<string, string[]>;
}

function copyOf(table: FakeTable): FakeTable {
  return {
    containers: new Map([...table.containers].map(([name, elements]) => [name, new Map(elements)])),
    chains: new Map([...table.chains].map(([name, rules]) => [name, [...rules]])),
  };
}

function mismatch(line: string, why: string): BallastError {
  return new BallastError('nft-mismatch', `${why}: ${line.slice(0, 200)}`);
}

function execute(tables: Map<string, FakeTable>, line: string): void {
  const [verb = '', noun = '', family = '', table = '', name = ''] = line.split(/\s+/);
  const tableName = `${family} ${table}`;
  if (noun === 'table') {
    if (verb === 'add') {
      if (!tables.has(tableName)) tables.set(tableName, { containers: new Map(), chains: new Map() });
      return;
    }
    const known = tables.get(tableName);
    if (!known) throw mismatch(line, 'no such table');
    if (verb === 'delete') tables.delete(tableName);
    else for (const chain of known.chains.keys()) known.chains.set(chain, []);
    return;
  }
  const known = tables.get(tableName);
  if (!known) throw mismatch(line, 'no such table');
  if (noun === 'chain') {
    if (verb === 'flush' || !known.chains.has(name)) known.chains.set(name, []);
  } else if (noun === 'rule') {
    const rules = known.chains.get(name);
    const rule = line.split(/\s+/).slice(5).join(' ');
    if (!rules) throw mismatch(line, 'no such chain');
    requireChain(known, rule, line);
    for (const [, container = ''] of rule.matchAll(/@([a-z-]+)/g)) {
      if (!known.containers.has(container)) throw mismatch(line, `no such container ${container}`);
    }
    rules.push(rule);
  } else if (noun === 'set' || noun === 'map') {
    if (verb === 'flush') known.containers.set(name, new Map());
    else if (verb === 'delete') {
      if (!known.containers.delete(name)) throw mismatch(line, 'no such container');
    } else if (!known.containers.has(name)) known.containers.set(name, new Map());
  } else if (noun === 'element') {
    const elements = known.containers.get(name);
    if (!elements) throw mismatch(line, 'no such container');
    const body = line.slice(line.indexOf('{') + 1, line.lastIndexOf('}')).trim();
    for (const item of body.split(', ')) changeElement(known, elements, verb, item, line);
  } else {
    throw new BallastError('nft-syntax', `the fake does not know this: ${line}`);
  }
}

function changeElement(
  table: FakeTable,
  elements: Map<string, string>,
  verb: string,
  item: string,
  line: string,
): void {
  const [key = '', value = ''] = item.split(' : ');
  if (verb === 'delete') {
    if (!elements.delete(key)) throw mismatch(line, `no such element ${key}`);
    return;
  }
  if (elements.has(key) && elements.get(key) !== value) throw mismatch(line, `element ${key} exists`);
  requireChain(table, value, line);
  elements.set(key, value);
}

function requireChain(table: FakeTable, text: string, line: string): void {
  const chain = /\b(?:goto|jump) (\S+)/.exec(text)?.[1];
  if (chain !== undefined && !table.chains.has(chain)) throw mismatch(line, `no such chain ${chain}`);
}

/** Every container with its elements, for comparisons in tests. */
export function contentOf(nft: FakeNft, table: string): Record<string, Record<string, string>> {
  return Object.fromEntries(
    CONTAINERS.map((container) => [container, Object.fromEntries([...nft.elements(table, container)].toSorted())]),
  );
}
