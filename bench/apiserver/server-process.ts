import { silentLogger } from '@ballast/base';
import { openStore } from '@ballast/store';
import { startTestServer } from '../../packages/apiserver/src/testdata/test-server.ts';

// The server that is measured, alone in its process. It says what it used whenever it is asked.
const store = await openStore({ path: process.argv[2] ?? '', logger: silentLogger });
const { url } = await startTestServer({ store });
process.on('message', (question) => {
  if (question === 'collect') globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() });
});
process.send?.({ url });
