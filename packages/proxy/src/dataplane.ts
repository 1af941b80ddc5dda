import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import {
  applyNft,
  elementMessages,
  type Flow,
  forgetFlows,
  inNetworkNamespace,
  listElements,
  listFlows,
  listRules,
  NetfilterError,
  NetfilterSocket,
  type NftElement,
  ruleMessage,
  ruleSetGeneration,
} from '@ballast/linux';
import { type RememberedClient, rememberRules } from './affinity.ts';
import { CONTAINERS, type Container, type Element, type ElementChange, type Family } from './element.ts';
import { decodeClient, elementId, encodeElement, sameData } from './element-codec.ts';
import { rememberChain } from './frontend.ts';
import { TABLE } from './ruleset.ts';

/** The kernel as the proxy needs it. */
export interface Dataplane {
  /** Applies a script of nft commands, all or nothing. */
  apply(script: string, signal?: AbortSignal): Promise<void>;
  /** Applies changes of elements as one transaction. */
  change(changes: readonly ElementChange[]): void;
  /**
   * Makes the table hold exactly `wanted`, writing only differences; their number. Many differences take several transactions, in the order
   * of `wanted`, and other work of the process gets its turn between them. What is not wanted goes last.
   */
  reconcile(family: Family, wanted: Iterable<Element>): Promise<number>;
  /** Fills the chain that remembers clients, where nft's language does not suffice. */
  fillRememberChain(family: Family, seconds: number): void;
  /** A digest of the table's rules, 0 without a table; rules for remembered clients do not count. */
  rulesDigest(family: Family): number;
  /** The digest that was left with the table by `seal`. */
  readSeal(family: Family): number | undefined;
  seal(family: Family, digest: number): void;
  /** A number that grows by one with each transaction of anybody. */
  generation(): number;
  rememberedClients(family: Family): RememberedClient[];
  releaseClients(family: Family, clients: readonly RememberedClient[]): void;
  udpFlows(family: Family): Promise<Flow[]>;
  forgetFlows(flows: readonly Flow[]): Promise<void>;
}

/** The set that holds the seal, one number. */
export const SEAL_SET = 'seal';

/** The real kernel, through netlink, nft and conntrack; in the network namespace `netns` (of `ip netns`) if given, else in one's own. */
export function kernelDataplane(options: { readonly netns?: string } = {}): Dataplane & Disposable {
  const place = options.netns === undefined ? {} : { netns: options.netns };
  const open = () => new NetfilterSocket();
  const socket = options.netns === undefined ? open() : inNetworkNamespace(`/var/run/netns/${options.netns}`, open);
  const list = (family: Family, name: string) => listElements(socket, { family, table: TABLE, name });
  const commit = (family: Family, name: string, op: 'add' | 'delete', elements: readonly NftElement[]) =>
    socket.commit(elementMessages(op, { family, table: TABLE, name }, elements));

  return {
    [Symbol.dispose]: () => socket[Symbol.dispose](),
    apply: (script, signal) => applyNft(script, signal ? { ...place, signal } : place),
    change(changes) {
      const messages = (op: 'add' | 'delete') =>
        [...grouped(changes, op).values()].flatMap(({ family, container, elements }) =>
          elementMessages(op, { family, table: TABLE, name: container }, elements),
        );
      socket.commit([...messages('delete'), ...messages('add')]);
    },
    async reconcile(family, wanted) {
      const found = new Map<Container, Map<string, NftElement>>();
      for (const container of CONTAINERS) {
        const elements = list(family, container).map((element): [string, NftElement] => [elementId(element), element]);
        found.set(container, new Map(elements));
      }
      const removed = new Map<Container, NftElement[]>();
      const added = new Map<Container, NftElement[]>();
      let pending = 0;
      let differences = 0;
      const put = (into: Map<Container, NftElement[]>, container: Container, element: NftElement) => {
        const elements = into.get(container);
        if (elements) elements.push(element);
        else into.set(container, [element]);
        pending += 1;
      };
      const flush = async () => {
        const messages = (op: 'add' | 'delete', groups: Map<Container, NftElement[]>) =>
          [...groups].flatMap(([name, elements]) => elementMessages(op, { family, table: TABLE, name }, elements));
        socket.commit([...messages('delete', removed), ...messages('add', added)]);
        removed.clear();
        added.clear();
        pending = 0;
        await setImmediate();
      };
      for (const element of wanted) {
        const { container } = element;
        const known = found.get(container);
        const encoded = encodeElement(family, element);
        const id = known === undefined || known.size === 0 ? '' : elementId(encoded);
        const before = id === '' ? undefined : known?.get(id);
        known?.delete(id);
        if (before && sameData(encoded.data, before.data)) continue;
        differences += 1;
        if (before) put(removed, container, withoutData(before));
        put(added, container, encoded);
        if (pending >= CHUNK) await flush();
      }
      await flush();
      for (const container of CONTAINERS) {
        for (const element of found.get(container)?.values() ?? []) {
          differences += 1;
          put(removed, container, withoutData(element));
          if (pending >= CHUNK) await flush();
        }
      }
      await flush();
      return differences;
    },
    fillRememberChain(family, seconds) {
      const chain = { family, table: TABLE, name: rememberChain(seconds) };
      socket.commit(rememberRules(family, seconds).map((expressions) => ruleMessage(chain, expressions)));
    },
    rulesDigest(family) {
      let digest = 0;
      for (const { chain, expressions } of listRules(socket, { family, name: TABLE })) {
        if (!chain.startsWith('remember-')) digest = crc32(expressions, crc32(chain, digest));
      }
      return digest;
    },
    readSeal(family) {
      try {
        return list(family, SEAL_SET)[0]?.key.readUInt32LE(0);
      } catch (error) {
        if (error instanceof NetfilterError && error.errno === 'ENOENT') return undefined;
        throw error;
      }
    },
    seal(family, digest) {
      const key = Buffer.alloc(4);
      key.writeUInt32LE(digest);
      commit(family, SEAL_SET, 'delete', list(family, SEAL_SET));
      commit(family, SEAL_SET, 'add', [{ key }]);
    },
    generation: () => ruleSetGeneration(socket),
    rememberedClients(family) {
      return list(family, 'affinity').flatMap((element) => {
        const client = decodeClient(family, element);
        return client ? [{ ...client, element }] : [];
      });
    },
    releaseClients(family, clients) {
      for (const { element } of clients) {
        try {
          commit(family, 'affinity', 'delete', [{ key: element.key }]);
        } catch (error) {
          // Its time ran out meanwhile.
          if (!(error instanceof NetfilterError && error.errno === 'ENOENT')) throw error;
        }
      }
    },
    udpFlows: (family) => listFlows({ protocol: 'udp', family }, place),
    forgetFlows: (flows) => forgetFlows(flows, place),
  };
}

/** Elements of one transaction while much is written: some 10 ms of the kernel's time. */
const CHUNK = 4000;

function withoutData({ key, keyEnd }: NftElement): NftElement {
  return keyEnd ? { key, keyEnd } : { key };
}

interface Group {
  readonly family: Family;
  readonly container: Container;
  readonly elements: NftElement[];
}

function grouped(changes: readonly ElementChange[], op: 'add' | 'delete'): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const change of changes) {
    if (change.op !== op) continue;
    const { family, element } = change;
    const name = `${family} ${element.container}`;
    let group = groups.get(name);
    if (!group) {
      group = { family, container: element.container, elements: [] };
      groups.set(name, group);
    }
    group.elements.push(encodeElement(family, op === 'delete' ? { ...element, value: '' } : element));
  }
  return groups;
}
