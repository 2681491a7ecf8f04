/**
 * Arrays and maps for `avsc`, whose own ones take what the data says on trust: a count of elements that are not there would keep them
 * busy for ever, and an entry of the name `__proto__` would be lost.
 */
import type { Avsc, RawType, Tap } from './raw-types.ts'

/** Elements that need no data, such as nulls, may be more than the bytes that are left; up to so many. */
const MOST_WITHOUT_DATA = 100_000

type Made = new (schema: unknown, options: unknown) => RawType
interface Inner {
  _read(tap: Tap): unknown
  _skip(tap: Tap): void
}

export function collectionClasses(avsc: Avsc): { readonly List: Made; readonly Entries: Made } {
  const { ArrayType, MapType } = avsc.types as unknown as { readonly ArrayType: Made; readonly MapType: Made }

  class List extends ArrayType {
    declare readonly itemsType: Inner
    /** Also called with a resolver as `this`, which has the same field. */
    override _read(tap: Tap): unknown {
      const items = this.itemsType
      const list: unknown[] = []
      for (let left = countOf(tap); left > 0; left = countOf(tap)) for (; left > 0; left--) list.push(items._read(tap))
      return list
    }
    _skip(tap: Tap): void {
      const items = this.itemsType
      for (let left = countOf(tap); left > 0; left = countOf(tap)) for (; left > 0; left--) items._skip(tap)
    }
  }

  class Entries extends MapType {
    declare readonly valuesType: Inner
    override _read(tap: Tap): unknown {
      const values = this.valuesType
      const entries: { [name: string]: unknown } = {}
      for (let left = countOf(tap); left > 0; left = countOf(tap))
        for (; left > 0; left--) {
          const name = tap.readString()
          if (name === '__proto__') define(entries, name, values._read(tap))
          else entries[name] = values._read(tap)
        }
      return entries
    }
    _skip(tap: Tap): void {
      const values = this.valuesType
      for (let left = countOf(tap); left > 0; left = countOf(tap))
        for (; left > 0; left--) {
          tap.readString()
          values._skip(tap)
        }
    }
  }
  return { List, Entries }
}

/** The number of elements of the next block; 0 behind the last one. */
function countOf(tap: Tap): number {
  let count = tap.readLong()
  if (count < 0) {
    count = -count
    // The size of the block in bytes.
    tap.readLong()
  }
  if (count > MOST_WITHOUT_DATA && count > tap.buf.length - tap.pos) throw new Error('is cut off')
  return count
}

/** As JSON has it: a field of that name, which an assignment would not make. */
function define(entries: object, name: string, value: unknown): void {
  Object.defineProperty(entries, name, { value, enumerable: true, configurable: true, writable: true })
}
