import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LineSplitter, LogFormatter, parseLogRecord } from './cri-log.ts';

const line = (text: string) => Buffer.from(text);
const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('utf8');

describe('CRI log format', () => {
  test('a full and a partial record', () => {
    const full = parseLogRecord(line('2026-01-02T03:04:05.123456789Z stdout F hello world'));
    assert.equal(full?.timestamp, '2026-01-02T03:04:05.123456789Z');
    assert.deepEqual([full?.stream, full?.partial, text(full?.content)], ['stdout', false, 'hello world']);
    assert.equal(parseLogRecord(line('2026-01-02T03:04:05.1Z stderr P:more x'))?.partial, true);
    assert.equal(text(parseLogRecord(line('2026-01-02T03:04:05.1Z stderr F '))?.content), '');
  });

  test('what is not a record is left out', () => {
    for (const bad of ['', 'hello', '2026-01-02T03:04:05Z other F x', 'x stdout F y', '2026-01-02T03:04:05Z stdout']) {
      assert.equal(parseLogRecord(line(bad)), undefined, bad);
    }
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseLogRecord(bytes)));
  });

  test('lines come out the same however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string().map((one) => one.replaceAll('\n', ''))),
        fc.integer({ min: 1, max: 7 }),
        (lines, size) => {
          const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(''));
          const splitter = new LineSplitter();
          const found: string[] = [];
          for (let at = 0; at < bytes.length; at += size) {
            for (const one of splitter.push(bytes.subarray(at, at + size)))
              found.push(Buffer.from(one).toString('utf8'));
          }
          assert.deepEqual(found, lines);
        },
      ),
    );
  });

  const records = [
    '2026-01-01T00:00:01Z stdout P ab',
    '2026-01-01T00:00:01Z stderr F err',
    '2026-01-01T00:00:02Z stdout F cd',
  ];
  const show = (selection: ConstructorParameters<typeof LogFormatter>[0]) => {
    const formatter = new LogFormatter(selection);
    return records
      .map((one) => {
        const record = parseLogRecord(line(one));
        return record ? (text(formatter.format(record)) ?? '') : '';
      })
      .join('');
  };

  test('partial records are joined, streams and times selected, bytes limited', () => {
    assert.equal(show({ stream: 'Stdout' }), 'abcd\n');
    assert.equal(show({ stream: 'Stderr', timestamps: true }), '2026-01-01T00:00:01Z err\n');
    assert.equal(show({ stream: 'Stdout', timestamps: true }), '2026-01-01T00:00:01Z abcd\n');
    assert.equal(show({ sinceMs: Date.UTC(2026, 0, 1, 0, 0, 2) }), 'cd\n');
    assert.equal(show({ limitBytes: 4 }), 'aber');
  });
});
