import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEPLOYMENTS, isApiError, PODS, RESOURCES, SECRETS, SERVICES } from '@ballast/kube';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { decodeMessage } from './decode.ts';
import { parseEnvelope } from './envelope.ts';

type Fields = readonly (readonly [field: number, value: string | number | Uint8Array | Fields])[];

/** Writes fields by number: texts and bytes length-delimited, numbers as varints, lists of fields as messages. */
function compose(fields: Fields): Uint8Array {
  const writer = new BinaryWriter();
  for (const [field, value] of fields) {
    if (typeof value === 'number') writer.tag(field, 0).int64(value);
    else if (typeof value === 'string') writer.tag(field, 2).string(value);
    else writer.tag(field, 2).bytes(value instanceof Uint8Array ? value : compose(value));
  }
  return writer.finish();
}

test('the envelope names the type and holds the object', () => {
  const unknown = compose([
    [
      1,
      [
        [1, 'apps/v1'],
        [2, 'Deployment'],
      ],
    ],
    [2, new Uint8Array([1, 2])],
    [3, ''],
    [4, ''],
  ]);
  const envelope = parseEnvelope(Buffer.concat([Buffer.from('k8s\0'), unknown]));
  assert.deepEqual({ ...envelope, raw: [...envelope.raw] }, { apiVersion: 'apps/v1', kind: 'Deployment', raw: [1, 2] });
  assert.throws(
    () => parseEnvelope(Buffer.from('{}')),
    (error) => isApiError(error, 'BadRequest'),
  );
});

test('fields that Go writes although they are empty are left out, zeros behind pointers are not', () => {
  const bytes = compose([
    [
      1,
      [
        [1, 'web'],
        [2, ''],
        [7, 0],
        [8, []],
      ],
    ],
    [
      2,
      [
        [1, 0],
        [5, 0],
        [7, 0],
      ],
    ],
  ]);
  assert.deepEqual(decodeMessage(DEPLOYMENTS.schema, bytes), { metadata: { name: 'web' }, spec: { replicas: 0 } });
});

test('maps, bytes, int-or-string, quantities, times and inlined messages read as in JSON', () => {
  const secret = compose([
    [
      1,
      [
        [
          11,
          [
            [1, 'a'],
            [2, 'b'],
          ],
        ],
        [8, [[1, 1_700_000_000]]],
      ],
    ],
    [
      2,
      [
        [1, 'k'],
        [2, new Uint8Array([255])],
      ],
    ],
  ]);
  assert.deepEqual(decodeMessage(SECRETS.schema, secret), {
    metadata: { labels: { a: 'b' }, creationTimestamp: '2023-11-14T22:13:20Z' },
    data: { k: '/w==' },
  });
  const service = compose([
    [
      2,
      [
        [
          1,
          [
            [3, 80],
            [
              4,
              [
                [1, 1],
                [3, 'http'],
              ],
            ],
          ],
        ],
        [
          1,
          [
            [3, 81],
            [4, [[2, 8081]]],
          ],
        ],
      ],
    ],
  ]);
  assert.deepEqual(decodeMessage(SERVICES.schema, service), {
    spec: {
      ports: [
        { port: 80, targetPort: 'http' },
        { port: 81, targetPort: 8081 },
      ],
    },
  });
  const pod = compose([
    [
      2,
      [
        [
          1,
          [
            [1, 'v'],
            [2, [[19, [[1, [[1, 'cm']]]]]]],
          ],
        ],
        [
          2,
          [
            [1, 'c'],
            [
              8,
              [
                [
                  2,
                  [
                    [1, 'cpu'],
                    [2, [[1, '100m']]],
                  ],
                ],
              ],
            ],
          ],
        ],
      ],
    ],
  ]);
  assert.deepEqual(decodeMessage(PODS.schema, pod), {
    spec: {
      volumes: [{ name: 'v', configMap: { name: 'cm' } }],
      containers: [{ name: 'c', resources: { requests: { cpu: '100m' } } }],
    },
  });
});

test('any bytes decode to something, or are a bad request', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...RESOURCES), (bytes, { schema }) => {
      try {
        decodeMessage(schema, bytes);
      } catch (error) {
        assert.ok(isApiError(error, 'BadRequest'), String(error));
      }
    }),
    { numRuns: 500 },
  );
});
