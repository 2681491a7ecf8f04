/**
 * Codecs of keys.
 */
import { isUtf8 } from 'node:buffer'
import type { Codec, ExactDecoding, KeyCodec } from '../contracts/codec.ts'
import { TEXT_KEYS } from '../contracts/codec-names.ts'
import { DecodeError } from '../errors/index.ts'
import { isObject } from '../options/values.ts'
import { isExact, stringifyExactly } from '../records/exact-numbers.ts'

/** Text in UTF-8, base64 where the bytes are something else. Written as text; everything else that a stage makes, as JSON. */
export const textKeys: KeyCodec = {
  name: TEXT_KEYS,
  decode: textOf,
  encode: (key) => (typeof key === 'string' ? key : stringifyExactly(key)),
}

/** Codecs of values that key codecs were made of. */
const OF_VALUES = new WeakMap<KeyCodec, Codec>()

/** The format of values for keys: a document with nothing but `value` means that value. */
export function keysOf(codec: Codec): KeyCodec {
  const { name, wire } = codec
  const keys: KeyCodec = {
    name,
    wire,
    translation(from) {
      const source = OF_VALUES.get(from)
      return source === undefined ? undefined : codec.translation?.(source)
    },
    prepare: codec.prepare?.bind(codec),
    digits: codec.digits && digitsOfKeys(codec.digits),
    decode(key, batch, row) {
      try {
        return key === null ? null : unwrapped(codec.decode(key, batch, row))
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        throw new DecodeError('key', error.message, { cause: error.cause ?? error })
      }
    },
    encode: (key) => codec.encode((isObject(key) && !isExact(key)) || name === 'json' ? key : { value: key }),
  }
  OF_VALUES.set(keys, codec)
  return keys
}

function digitsOfKeys(digits: ExactDecoding): ExactDecoding {
  return {
    get rounded() {
      return digits.rounded
    },
    mayDiffer: (bytes) => digits.mayDiffer(bytes),
    decode: (bytes, batch, row) => unwrapped(digits.decode(bytes, batch, row)),
  }
}

function unwrapped(document: unknown): unknown {
  return isObject(document) && 'value' in document && Object.keys(document).length === 1 ? document['value'] : document
}

/** Bytes as text. */
export function textOf(bytes: Buffer | null): string | null {
  if (bytes === null) return null
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'base64')
}
