import { readFile } from 'node:fs/promises';
import { BallastError, type Clock, errnoOf, type Logger } from '@ballast/base';
import { CONFIG_MAPS, type KubeClient, startInformer } from '@ballast/kube';
import { DEFAULT_COREFILE } from './default-corefile.ts';

/** Where a server gets its Corefile from. */
export type CorefileSpec =
  | { readonly text: string }
  | { readonly path: string }
  /** Key `Corefile` of a ConfigMap; DEFAULT_COREFILE while there is no such object. */
  | { readonly configMap: { readonly namespace: string; readonly name: string } };

/** A Corefile that may change. */
export interface CorefileFeed extends AsyncDisposable {
  /** What problems and imports refer to: a path, or 'configmap/kube-system/coredns'. */
  readonly file: string;
  /** The text as of now; throws when it cannot be had. */
  read(): Promise<string>;
  /** Calls back when there is something new to read without having to look; never for files. */
  onChange(changed: () => void): void;
}

/** How long a server waits for the API server before it starts with the default Corefile. */
const FIRST_SYNC_MS = 2000;

export function openCorefileFeed(
  spec: CorefileSpec,
  options: { client: KubeClient | undefined; logger: Logger; clock: Clock },
): CorefileFeed {
  if ('text' in spec) return fixedFeed(spec.text);
  if ('path' in spec) return fileFeed(spec.path);
  const { client } = options;
  if (!client)
    throw new BallastError('corefile-unreadable', 'a Corefile in a ConfigMap needs a client of the API server');
  return configMapFeed(spec.configMap, { ...options, client });
}

function fixedFeed(text: string): CorefileFeed {
  return { file: 'Corefile', read: async () => text, onChange: () => {}, [Symbol.asyncDispose]: async () => {} };
}

function fileFeed(path: string): CorefileFeed {
  return {
    file: path,
    async read() {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        const why = errnoOf(error) === 'ENOENT' ? 'there is no such file' : `it cannot be read (${errnoOf(error)})`;
        throw new BallastError('corefile-unreadable', `${path}: ${why}; write one or give another path`, {
          cause: error,
        });
      }
    },
    onChange: () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

function configMapFeed(
  { namespace, name }: { namespace: string; name: string },
  options: { client: KubeClient; logger: Logger; clock: Clock },
): CorefileFeed {
  const { logger, clock } = options;
  const fieldSelector = `metadata.name=${name}`;
  const informer = startInformer(options.client, CONFIG_MAPS, { namespace, fieldSelector, logger, clock });
  let isFirst = true;
  return {
    file: `configmap/${namespace}/${name}`,
    async read() {
      if (isFirst) {
        isFirst = false;
        const waited = new AbortController();
        await Promise.race([informer.synced, clock.sleep(FIRST_SYNC_MS, waited.signal).catch(() => {})]);
        waited.abort();
      }
      const text = informer.get(`${namespace}/${name}`)?.data?.Corefile;
      if (text === undefined) logger.info('no Corefile in the cluster; using the default', { namespace, name });
      return text ?? DEFAULT_COREFILE;
    },
    onChange: (changed) => informer.onChange(() => changed()),
    [Symbol.asyncDispose]: () => informer[Symbol.asyncDispose](),
  };
}
