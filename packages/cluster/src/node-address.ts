import { BallastError } from '@ballast/base';
import { run } from '@ballast/linux';

/** The address other machines know this one by: the source address of the default route. */
export async function defaultNodeIp(): Promise<string> {
  const routes = JSON.parse(await run('ip', ['-4', '-json', 'route', 'show', 'default'])) as {
    dev?: string;
    prefsrc?: string;
  }[];
  const [route] = routes;
  if (route?.prefsrc) return route.prefsrc;
  if (route?.dev) {
    const links = JSON.parse(
      await run('ip', ['-4', '-json', 'address', 'show', 'dev', route.dev, 'scope', 'global']),
    ) as {
      addr_info?: { local?: string }[];
    }[];
    const local = links[0]?.addr_info?.[0]?.local;
    if (local) return local;
  }
  throw new BallastError('node-ip', 'this machine has no default route to take its address from; set node-ip');
}
