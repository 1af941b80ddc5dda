import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type Logger, messageOf } from '@ballast/base';
import { KeyIndex, type KeyState } from './key-index.ts';
import {
  type RangeOptions,
  type RangeResult,
  requireReadable,
  type Store,
  type StoredEntry,
  StoreError,
  type StoreEvent,
  type WatchOptions,
  type WriteOperation,
  type WriteOutcome,
} from './store.ts';
import { WatchHub } from './watch-hub.ts';

/**
 * One row per write; a null value is a deletion. The newest row of a key not later than revision R is the key at R. Values are written
 * once: the current state is the same rows, found through `by_key`.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS writes (
    revision INTEGER PRIMARY KEY, key TEXT NOT NULL, create_revision INTEGER NOT NULL, value BLOB
  ) STRICT;
  CREATE INDEX IF NOT EXISTS by_key ON writes (key, revision);
  CREATE TABLE IF NOT EXISTS compaction (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO compaction VALUES (1, 0);
`;

interface PendingTransaction {
  readonly operations: readonly WriteOperation[];
  readonly resolve: (outcome: WriteOutcome) => void;
  readonly reject: (error: Error) => void;
}

/** Opens (or creates) the embedded store in the file `path`. One process at a time: a second one is refused. */
export async function openStore(options: { readonly path: string; readonly logger: Logger }): Promise<Store> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(options.path);
    // EXCLUSIVE: no second process may write under the in-memory index, and WAL needs no shared-memory file.
    database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 67108864;`);
    database.exec(SCHEMA);
    return new SqliteStore(database, options.logger);
  } catch (error) {
    database?.close();
    throw new StoreError('unavailable', `cannot open the store ${options.path}: ${messageOf(error)}`, { cause: error });
  }
}

class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #logger: Logger;
  readonly #hub = new WatchHub();
  readonly #index: KeyIndex;
  readonly #insert: StatementSync;
  readonly #selectKey: StatementSync;
  readonly #selectRange: StatementSync;
  #pending: PendingTransaction[] = [];
  #compacted: number;
  #closed = false;

  constructor(database: DatabaseSync, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
    this.#compacted = Number(database.prepare('SELECT revision FROM compaction').get()?.revision ?? 0);
    const last = Number(database.prepare('SELECT max(revision) AS last FROM writes').get()?.last ?? 0);
    this.#index = new KeyIndex(loadKeys(database), Math.max(last, this.#compacted));
    this.#insert = database.prepare('INSERT INTO writes (revision, key, create_revision, value) VALUES (?, ?, ?, ?)');
    this.#selectKey = database.prepare(
      'SELECT key, revision, create_revision, value FROM writes WHERE key = ? AND revision <= ? ORDER BY revision DESC LIMIT 1',
    );
    this.#selectRange = database.prepare(
      `SELECT key, revision, create_revision, value FROM writes AS w WHERE key > ? AND key >= ? AND key < ? AND value IS NOT NULL
       AND revision = (SELECT max(revision) FROM writes WHERE key = w.key AND revision <= ?) ORDER BY key LIMIT ?`,
    );
  }

  get revision(): number {
    return this.#index.revision;
  }

  get compactedRevision(): number {
    return this.#compacted;
  }

  async get(key: string, options: { readonly revision?: number } = {}): Promise<StoredEntry | undefined> {
    const revision = options.revision ?? this.revision;
    requireReadable(this, revision);
    const row = this.#selectKey.get(key, revision);
    return row === undefined || row.value === null ? undefined : entryOf(row);
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    const revision = options.revision ?? this.revision;
    requireReadable(this, revision);
    const { prefix, after = '', limit } = options;
    const rowLimit = limit === undefined ? -1 : limit + 1;
    const entries = this.#selectRange.all(after, prefix, endOfPrefix(prefix), revision, rowLimit).map(entryOf);
    const more = limit !== undefined && entries.length > limit;
    return { entries: more ? entries.slice(0, limit) : entries, revision, more };
  }

  transact(operations: readonly WriteOperation[]): Promise<WriteOutcome> {
    if (this.#closed) return Promise.reject(new StoreError('closed', 'the store is closed'));
    return new Promise((resolve, reject) => {
      if (this.#pending.push({ operations, resolve, reject }) === 1) setImmediate(() => this.#commit());
    });
  }

  watch(options: WatchOptions): Disposable {
    requireReadable(this, options.afterRevision);
    const rows = this.#database
      .prepare(
        `SELECT key, revision, create_revision, value FROM writes WHERE revision > ? AND revision <= ? AND key >= ? AND key < ?
         ORDER BY revision`,
      )
      .all(options.afterRevision, this.revision, options.prefix, endOfPrefix(options.prefix));
    const past = rows.map(
      (row): StoreEvent =>
        row.value === null
          ? { type: 'delete', key: String(row.key), revision: Number(row.revision) }
          : { type: 'put', entry: entryOf(row) },
    );
    if (past.length > 0) options.onEvents(past);
    return this.#hub.add(options);
  }

  async compact(revision: number): Promise<void> {
    if (this.#closed || revision <= this.#compacted) return;
    requireReadable(this, revision);
    const from = this.#compacted;
    this.#inTransaction(() => {
      this.#database
        .prepare(
          `DELETE FROM writes WHERE revision IN (SELECT older.revision FROM writes AS newer JOIN writes AS older
           ON older.key = newer.key AND older.revision < newer.revision WHERE newer.revision > ? AND newer.revision <= ?)`,
        )
        .run(from, revision);
      this.#database
        .prepare('DELETE FROM writes WHERE value IS NULL AND revision > ? AND revision <= ?')
        .run(from, revision);
      this.#database.prepare('UPDATE compaction SET revision = ?').run(revision);
    });
    this.#compacted = revision;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#commit();
    this.#closed = true;
    this.#hub.clear();
    this.#database.close();
  }

  /** Group commit: whatever was asked for until now becomes one transaction and one fsync, then everyone hears the outcome. */
  #commit(): void {
    const batch = this.#pending;
    if (batch.length === 0) return;
    this.#pending = [];
    const events: StoreEvent[] = [];
    const outcomes: WriteOutcome[] = [];
    try {
      this.#inTransaction(() => {
        for (const { operations } of batch) outcomes.push(this.#write(operations, events));
      });
    } catch (error) {
      this.#index.rollBack();
      this.#logger.error('store refused a write', { error });
      const failure = new StoreError('unavailable', `the store refused the write: ${messageOf(error)}`, {
        cause: error,
      });
      for (const { reject } of batch) reject(failure);
      return;
    }
    this.#index.settle();
    this.#hub.publish(events);
    for (const [i, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[i];
      if (outcome) resolve(outcome);
      else reject(new StoreError('unavailable', 'the write has no outcome'));
    }
  }

  #write(operations: readonly WriteOperation[], events: StoreEvent[]): WriteOutcome {
    const admission = this.#index.admit(operations);
    if (admission.kind === 'conflict') return admission;
    for (const { operation, revision, createRevision } of admission.writes) {
      if (operation.type === 'put') {
        this.#insert.run(revision, operation.key, createRevision, operation.value);
        events.push({
          type: 'put',
          entry: { key: operation.key, value: operation.value, revision, createRevision },
        });
      } else {
        this.#insert.run(revision, operation.key, createRevision, null);
        events.push({ type: 'delete', key: operation.key, revision });
      }
    }
    return { kind: 'committed', revisions: admission.writes.map(({ revision }) => revision) };
  }

  #inTransaction(body: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      body();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function loadKeys(database: DatabaseSync): Map<string, KeyState> {
  const rows = database
    .prepare(
      `SELECT key, revision, create_revision FROM writes AS w WHERE value IS NOT NULL
       AND revision = (SELECT max(revision) FROM writes WHERE key = w.key)`,
    )
    .all();
  return new Map(
    rows.map((row) => [
      String(row.key),
      { revision: Number(row.revision), createRevision: Number(row.create_revision) },
    ]),
  );
}

function entryOf(row: Record<string, unknown>): StoredEntry {
  const value = row.value;
  return {
    key: String(row.key),
    value: value instanceof Uint8Array ? value : new Uint8Array(),
    revision: Number(row.revision),
    createRevision: Number(row.create_revision),
  };
}

/** The first text, in SQLite's order of UTF-8 bytes, after every text that starts with `prefix`. */
function endOfPrefix(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}
