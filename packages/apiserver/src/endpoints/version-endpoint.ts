import type { Exchange } from '../http/exchange.ts';
import { sendJson } from '../http/respond.ts';

/** The Kubernetes version whose API this server speaks. */
const VERSION = { major: '1', minor: '36' };
const BALLAST_VERSION = '0.1.0';

export const SERVER_VERSION = `v${VERSION.major}.${VERSION.minor}.0+ballast.${BALLAST_VERSION}`;

export function serveVersion(exchange: Exchange): Promise<void> {
  return sendJson(exchange, 200, {
    ...VERSION,
    emulationMajor: VERSION.major,
    emulationMinor: VERSION.minor,
    minCompatibilityMajor: VERSION.major,
    minCompatibilityMinor: '35',
    gitVersion: SERVER_VERSION,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node ${process.version}`,
    compiler: 'v8',
    platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  });
}
