import { silentLogger } from '@ballast/base';
import { openStore } from '../sqlite-store.ts';

// Writes until it is killed and reports each write once it was acknowledged.
const [path = '', round = ''] = process.argv.slice(2);
const store = await openStore({ path, logger: silentLogger });

async function writer(id: number): Promise<never> {
  for (let i = 0; ; i++) {
    const key = `round-${round}/writer-${id}/${i}`;
    const value = new TextEncoder().encode(key.repeat(20));
    const outcome = await store.transact([{ type: 'put', key, value, expectedRevision: 0 }]);
    if (outcome.kind === 'committed') process.send?.({ key, revision: outcome.revisions[0] });
  }
}

await Promise.all(Array.from({ length: 8 }, (_, id) => writer(id)));
