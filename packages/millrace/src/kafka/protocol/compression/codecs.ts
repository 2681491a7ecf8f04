/** Kafka's compression codecs. Loads none of them, so that lint stays fast. */

/** Kafka's codecs; the index is the value of the three lowest attribute bits of a record batch. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

/** Attribute bits of a codec. */
export const CODEC_BITS: { readonly [codec in Codec]: number } = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

/** Levels that a codec takes: least, most, and what is used when none is given. Those of `snappy` and `lz4` are fixed. */
export const COMPRESSION_LEVELS = {
  gzip: { min: 1, max: 9, default: 6 },
  zstd: { min: -131_072, max: 22, default: 3 },
} as const
