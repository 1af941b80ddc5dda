import type { BatchMessage } from './netfilter-socket.ts';
import { type NetlinkWriter, NLM_F_APPEND, NLM_F_CREATE } from './netlink-message.ts';
import { protocolFamily } from './nft-elements.ts';

/**
 * The few rule expressions for which nft's language will not do (nft 1.0.6 dies of an assertion when a rule updates a map whose key is longer
 * than 16 bytes). Registers are the kernel's 32-bit ones, 8 to 23.
 */
export type NftExpression =
  | { readonly name: 'meta'; readonly key: 'l4proto'; readonly register: number }
  | { readonly name: 'cmp'; readonly register: number; readonly equals: Buffer }
  | {
      readonly name: 'payload';
      readonly base: 'network' | 'transport';
      readonly offset: number;
      readonly length: number;
      readonly register: number;
    }
  /** Of the original direction of the connection. */
  | { readonly name: 'ct'; readonly key: 'dst-ip' | 'dst-ip6' | 'proto-dst'; readonly register: number }
  /** Adds the key with its data to a map, or renews it, for `timeoutMs`. */
  | {
      readonly name: 'dynset';
      readonly map: string;
      readonly keyRegister: number;
      readonly dataRegister: number;
      readonly timeoutMs: number;
    };

const NEWRULE = 6;
const META_L4PROTO = 16;
const CT_KEYS = { 'proto-dst': 12, 'dst-ip': 20, 'dst-ip6': 22 } as const;
const DYNSET_UPDATE = 1;

/** Appends a rule to a chain. */
export function ruleMessage(
  chain: { readonly family: 4 | 6; readonly table: string; readonly name: string },
  expressions: readonly NftExpression[],
): BatchMessage {
  return {
    type: NEWRULE,
    flags: NLM_F_CREATE | NLM_F_APPEND,
    protocolFamily: protocolFamily(chain.family),
    attributes: (writer) => {
      writer.textAttribute(1, chain.table);
      writer.textAttribute(2, chain.name);
      writer.nest(4, () => {
        for (const expression of expressions) {
          writer.nest(1, () => {
            writer.textAttribute(1, expression.name);
            writer.nest(2, () => writeExpression(writer, expression));
          });
        }
      });
    },
  };
}

function writeExpression(writer: NetlinkWriter, expression: NftExpression): void {
  switch (expression.name) {
    case 'meta':
      writer.u32Attribute(1, expression.register);
      writer.u32Attribute(2, META_L4PROTO);
      return;
    case 'cmp':
      writer.u32Attribute(1, expression.register);
      writer.u32Attribute(2, 0);
      writer.nest(3, () => writer.bytesAttribute(1, expression.equals));
      return;
    case 'payload':
      writer.u32Attribute(1, expression.register);
      writer.u32Attribute(2, expression.base === 'network' ? 1 : 2);
      writer.u32Attribute(3, expression.offset);
      writer.u32Attribute(4, expression.length);
      return;
    case 'ct':
      writer.u32Attribute(1, expression.register);
      writer.u32Attribute(2, CT_KEYS[expression.key]);
      // IP_CT_DIR_ORIGINAL, one byte.
      writer.bytesAttribute(3, Buffer.from([0]));
      return;
    case 'dynset':
      writer.textAttribute(1, expression.map);
      writer.u32Attribute(3, DYNSET_UPDATE);
      writer.u32Attribute(4, expression.keyRegister);
      writer.u32Attribute(5, expression.dataRegister);
      writer.u64Attribute(6, BigInt(expression.timeoutMs));
      return;
  }
}
