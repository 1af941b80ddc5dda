import { silentLogger } from '@ballast/base';
import { openStore } from '@ballast/store';
import { startTestServer } from './test-server.ts';

// An API server on a file, in a process of its own that a test can kill.
const store = await openStore({ path: process.argv[2] ?? '', logger: silentLogger });
const { url } = await startTestServer({ store });
process.send?.({ url });
