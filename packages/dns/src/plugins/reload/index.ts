import { definePlugin } from '../../chain/plugin.ts';
import { optional } from '../../syntax/argument.ts';
import { directive } from '../../syntax/directive.ts';
import { duration } from '../../syntax/value.ts';

const syntax = directive({
  summary: 'Takes over a changed Corefile without losing a query.',
  args: [
    optional('INTERVAL', duration({ minMs: 2000 }), { otherwise: 30_000 }),
    optional('JITTER', duration(), { otherwise: 15_000 }),
  ],
  options: {},
  check({ args: [, jitterMs] }, report) {
    if (jitterMs > 0 && jitterMs < 1000) report('JITTER must be 0 or at least 1s');
  },
});

/** `reload`: see README.md. */
export const reload = definePlugin({
  name: 'reload',
  syntax,
  allowsReuse: true,
  create([{ args }], { status }) {
    const [intervalMs, jitterMs] = args;
    return {
      async start() {
        status.setReload({ intervalMs, jitterMs: Math.min(jitterMs, intervalMs / 2) });
      },
    };
  },
});
