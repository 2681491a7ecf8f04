import fc from 'fast-check'
import { setValue } from 'mingo/util'
import { describe, expect, test } from 'vitest'
import { plainPath, readField, THROUGH_ARRAY, withField, withoutField } from '../../src/stages/field-path.ts'

const name = fc.constantFrom('a', 'b', 'c')
const names = fc.array(name, { minLength: 1, maxLength: 4 })
const { document } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(1, 'x', null),
    tie('document'),
    fc.array(tie('value'), { maxLength: 2 }),
  ),
  document: fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
}))

/** Whether setting leads through nothing but objects and gaps; where it does not, mingo leaves the document alone. */
function leadsThroughObjects(value: unknown, path: readonly string[]): boolean {
  if (path.length === 0) return true
  if (value === undefined || value === null) return true
  return (
    typeof value === 'object' &&
    !Array.isArray(value) &&
    leadsThroughObjects((value as { [name: string]: unknown })[path[0]!], path.slice(1))
  )
}

describe('field path', () => {
  test('setting agrees with mingo, and never touches the original', () => {
    fc.assert(
      fc.property(document, names, (original, path) => {
        fc.pre(leadsThroughObjects(original, path))
        const before = structuredClone(original)
        const mine = withField(original, path, 'new')
        expect(original).toEqual(before)
        setValue(before, path.join('.'), 'new')
        expect(mine).toEqual(before)
      }),
    )
  })

  test('what was set can be read, and is gone when taken away', () => {
    fc.assert(
      fc.property(document, names, (original, path) => {
        const set = withField(original, path, 'new')
        const read = readField(set, path)
        if (read !== THROUGH_ARRAY) {
          expect(read).toBe('new')
          expect(readField(withoutField(set, path), path)).toBeUndefined()
        }
      }),
    )
  })

  test('taking away never touches the original, and gives it back when there was nothing', () => {
    fc.assert(
      fc.property(document, names, (original, path) => {
        const before = structuredClone(original)
        const result = withoutField(original, path)
        expect(original).toEqual(before)
        if (readField(original, path) === undefined) expect(result).toBe(original)
        // Once gone, there is nothing to take away.
        expect(withoutField(result, path)).toBe(result)
      }),
    )
  })

  test.each([
    { path: 'a.b', plain: ['a', 'b'] },
    { path: 'a.0', plain: undefined },
    { path: 'a..b', plain: undefined },
    { path: '', plain: undefined },
    { path: 'a.constructor', plain: undefined },
    { path: '__proto__', plain: undefined },
  ])('$path is plain: $plain', ({ path, plain }) => {
    expect(plainPath(path)).toEqual(plain)
  })
})
