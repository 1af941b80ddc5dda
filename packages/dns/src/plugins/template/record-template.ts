/** What a template may refer to. */
export interface TemplateValues {
  readonly Name: string;
  readonly Zone: string;
  readonly Class: string;
  readonly Type: string;
  readonly Remote: string;
  readonly match: RegExpExecArray;
}

export type Template = (values: TemplateValues) => string;

const FIELDS = ['Name', 'Zone', 'Class', 'Type', 'Remote'] as const;

/**
 * The part of Go's text/template that records need: `{{ .Name }}` and the other fields, `{{ index .Match N }}`, `{{ .Group.NAME }}`. A
 * string says what is not understood.
 */
export function compileTemplate(text: string): Template | string {
  const parts: Template[] = [];
  for (const part of text.split(/(\{\{.*?\}\})/)) {
    const expression = /^\{\{-?\s*(.*?)\s*-?\}\}$/.exec(part)?.[1];
    const compiled = expression === undefined ? () => part : compileExpression(expression);
    if (!compiled) return `"${part}" is not understood; use .${FIELDS.join(', .')}, index .Match N, or .Group.NAME`;
    parts.push(compiled);
  }
  return (values) => parts.map((part) => part(values)).join('');
}

function compileExpression(expression: string): Template | undefined {
  const field = FIELDS.find((name) => expression === `.${name}`);
  if (field) return (values) => values[field];
  const index = /^index \.Match ([0-9]{1,2})$/.exec(expression)?.[1];
  if (index !== undefined) return ({ match }) => match[Number(index)] ?? '';
  const group = /^(?:\.Group\.(\w+)|index \.Group "(\w+)")$/.exec(expression);
  const name = group?.[1] ?? group?.[2];
  return name === undefined ? undefined : ({ match }) => match.groups?.[name] ?? match[Number(name)] ?? '';
}
