import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { layoutOf, ROLES } from '@ballast/cluster';
import { type Lab, nodesOf } from '@ballast/lab';

/** Most lines shown of one log. */
const LINES = 3;
const MAX_LINE = 300;

/** What the roles of a lab complained about last: warnings, errors, and lines that are no log records (a crash's last words). */
export async function lastComplaints(lab: Lab): Promise<string> {
  const parts: string[] = [];
  for (const { name } of nodesOf(lab.topology)) {
    const { logs } = layoutOf({ dataDir: join(lab.dir, name, 'state'), runDir: '/run/ballast' });
    for (const role of ROLES) {
      const text = await readFile(join(logs, `${role}.log`), 'utf8').catch(() => '');
      const lines = text.split('\n').filter(isComplaint).slice(-LINES);
      parts.push(...lines.map((line) => `  ${name} ${role}: ${line.slice(0, MAX_LINE)}`));
    }
  }
  return parts.length === 0 ? '' : `\nlast complaints in the logs:\n${parts.join('\n')}\n\n`;
}

export function isComplaint(line: string): boolean {
  return line !== '' && !/^\{"level":"(debug|info)"/.test(line);
}
