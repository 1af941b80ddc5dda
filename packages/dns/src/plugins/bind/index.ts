import { networkInterfaces } from 'node:os';
import { formatIp, parseIp } from '@ballast/base';
import { definePlugin } from '../../chain/plugin.ts';
import { rest } from '../../syntax/argument.ts';
import { directive, repeated } from '../../syntax/directive.ts';
import { word } from '../../syntax/value.ts';

const syntax = directive({
  summary: 'Listens on certain addresses or interfaces only.',
  args: [rest('ADDRESS|INTERFACE', word, { min: 1 })],
  options: {
    except: repeated('Leaves these addresses or interfaces out.', rest('ADDRESS|INTERFACE', word, { min: 1 })),
  },
  repeatable: true,
});

/** Addresses that a word stands for: itself, or those of the interface of that name. */
function addressesOf(text: string): string[] {
  const ip = parseIp(text);
  if (ip) return [formatIp(ip)];
  return (networkInterfaces()[text] ?? []).map(({ address, scopeid }) => (scopeid ? `${address}%${text}` : address));
}

/** `bind`: see README.md. */
export const bind = definePlugin({
  name: 'bind',
  syntax,
  allowsReuse: true,
  create(occurrences, { report }) {
    const resolve = (word: string): string[] => {
      const addresses = addressesOf(word);
      const [{ place }] = occurrences;
      if (addresses.length === 0)
        report(place, `bind: "${word}" is neither an address nor an interface with addresses`);
      return addresses;
    };
    const wanted = occurrences.flatMap(({ args }) => args[0]).flatMap(resolve);
    const unwanted = occurrences.flatMap(({ options }) => options.except.flatMap(([words]) => words)).flatMap(resolve);
    return { bindHosts: [...new Set(wanted)].filter((host) => !unwanted.includes(host)) };
  },
});
