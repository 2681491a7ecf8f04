import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Linked, LinkedList } from '../../src/resilience/linked-list.ts'

class Item implements Linked<Item> {
  before: Item | undefined
  after: Item | undefined
}

test('a linked list holds what a set holds, in the same order, and what left it points to nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), (moves) => {
      const items = Array.from({ length: 10 }, () => new Item())
      const list = new LinkedList<Item>()
      const set = new Set<Item>()
      for (const [isAdded, index] of moves) {
        const item = items[index]!
        if (isAdded && !set.has(item)) {
          list.add(item)
          set.add(item)
        } else if (!isAdded) {
          list.delete(item)
          set.delete(item)
        }
        expect(list.all().map((each) => items.indexOf(each))).toEqual([...set].map((each) => items.indexOf(each)))
        expect(list.first).toBe([...set][0])
        for (const out of items.filter((each) => !set.has(each)))
          expect([out.before, out.after]).toEqual([undefined, undefined])
      }
    }),
  )
})
