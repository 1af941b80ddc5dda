/** One acceptable media type of an Accept header, or the Content-Type of a body. */
export interface MediaType {
  /** 'application/json', lower case. */
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export function parseMediaType(text: string): MediaType {
  const [type = '', ...rest] = text.split(';');
  const parameters: Record<string, string> = {};
  for (const part of rest) {
    const equals = part.indexOf('=');
    if (equals > 0)
      parameters[part.slice(0, equals).trim().toLowerCase()] = part
        .slice(equals + 1)
        .trim()
        .replace(/^"|"$/g, '');
  }
  return { type: type.trim().toLowerCase(), parameters };
}

/** The media types of an Accept header, best first (RFC 9110 section 12.5.1: by q, then by order). An absent header accepts anything. */
export function parseAccept(header: string | undefined): MediaType[] {
  if (header === undefined || header.trim() === '') return [{ type: '*/*', parameters: {} }];
  return header
    .split(',')
    .map(parseMediaType)
    .map((mediaType) => ({ mediaType, quality: qualityOf(mediaType) }))
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ mediaType }) => mediaType);
}

function qualityOf(mediaType: MediaType): number {
  const quality = Number(mediaType.parameters.q ?? 1);
  return Number.isFinite(quality) ? quality : 0;
}

/** How an answer is to be written. */
export interface Representation {
  readonly as: 'Object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Version of meta.k8s.io that was asked for: 'v1' or 'v1beta1'. */
  readonly version: string;
  readonly yaml: boolean;
}

const PLAIN: Representation = { as: 'Object', version: 'v1', yaml: false };
const TRANSFORMS = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] as const;

/** The first representation of the Accept header that this server writes; undefined: 406. */
export function negotiate(accept: string | undefined): Representation | undefined {
  if (accept === undefined || accept === 'application/json' || accept === '*/*') return PLAIN;
  for (const { type, parameters } of parseAccept(accept)) {
    const json = type === 'application/json' || type === '*/*' || type === 'application/*';
    const yaml = type === 'application/yaml';
    if (!json && !yaml) continue;
    const as = parameters.as;
    if (as === undefined) return yaml ? { ...PLAIN, yaml } : PLAIN;
    const transform = TRANSFORMS.find((name) => name === as);
    const version = parameters.v ?? 'v1';
    if (transform && parameters.g === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1')) {
      return { as: transform, version, yaml };
    }
  }
  return undefined;
}
