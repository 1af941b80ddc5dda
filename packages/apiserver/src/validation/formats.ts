/** The name formats of Kubernetes. Each returns undefined when the text is fine, or what is wrong with it in upstream's words. */

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;

const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_NAME_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const CONFIG_KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

type Check = (text: string) => string | undefined;

function sized(max: number, pattern: RegExp, why: string): Check {
  return (text) =>
    text.length > max ? `must be no more than ${max} characters` : pattern.test(text) ? undefined : why;
}

/** RFC 1123 label: names of containers, volumes, namespaces. */
export const dnsLabel: Check = sized(63, LABEL, LABEL_TEXT);
/** RFC 1123 subdomain: names of most objects. */
export const dnsSubdomain: Check = sized(253, SUBDOMAIN, SUBDOMAIN_TEXT);
/** RFC 1035 label: names of Services. */
export const dns1035Label: Check = sized(63, LABEL_1035, LABEL_1035_TEXT);
export const labelValue: Check = sized(63, LABEL_VALUE, LABEL_VALUE_TEXT);

/** The key of a label, a taint or a resource: 'name' or 'example.com/name'. */
export const qualifiedName: Check = (text) => {
  const parts = text.split('/');
  if (parts.length > 2) return `a qualified name ${QUALIFIED_NAME_TEXT.slice('name part '.length)}`;
  const name = parts.at(-1) ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') return 'prefix part must be non-empty';
    const wrong = dnsSubdomain(prefix);
    if (wrong) return `prefix part ${wrong}`;
  }
  if (name === '') return 'name part must be non-empty';
  if (name.length > 63) return 'name part must be no more than 63 characters';
  return QUALIFIED_NAME.test(name) ? undefined : QUALIFIED_NAME_TEXT;
};

/** A key of a ConfigMap or a Secret. */
export const configKey: Check = (text) => {
  if (text.length > 253) return 'must be no more than 253 characters';
  if (text === '.') return "must not be '.'";
  if (text === '..') return "must not be '..'";
  if (text.startsWith('..')) return "must not start with '..'";
  return CONFIG_KEY.test(text) ? undefined : CONFIG_KEY_TEXT;
};

/** A port by name (IANA service name). */
export const portName: Check = (text) => {
  if (text.length > 15) return 'must be no more than 15 characters';
  if (!/^[-a-z0-9]+$/.test(text)) {
    return 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)';
  }
  if (!/[a-z]/.test(text)) return 'must contain at least one letter (a-z)';
  if (text.includes('--')) return 'must not contain consecutive hyphens';
  if (text.startsWith('-') || text.endsWith('-')) return 'must not begin or end with a hyphen';
  return undefined;
};

/** The name of an environment variable: anything printable but '='. */
export const envName: Check = (text) =>
  /^[\x20-\x3c\x3e-\x7e]+$/.test(text)
    ? undefined
    : "a valid environment variable name must consist only of printable ASCII characters other than '='";

export const PORT_RANGE_TEXT = 'must be between 1 and 65535, inclusive';

export function isPortNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;
}
