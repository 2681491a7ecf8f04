import { describe, expect, test } from 'vitest'
import { MetadataRounds, type TopicErrors } from '../../../src/kafka/cluster/metadata-rounds.ts'

const NONE: TopicErrors = new Map()

describe('rounds of metadata requests', () => {
  // A thousand topics of a leader that was down were a thousand requests every 100 ms.
  test('ask for everything that is wanted in the same turn at once', async () => {
    const asked: number[] = []
    const rounds = new MetadataRounds(async (topics) => {
      asked.push(topics.length)
      return NONE
    })
    await Promise.all(Array.from({ length: 1000 }, (_, n) => rounds.join([`t${n}`])))
    expect(asked).toEqual([1000])
  })

  test('gather what comes while one is under way, and share it with those that want the same', async () => {
    const asked: string[][] = []
    const answers: (() => void)[] = []
    const rounds = new MetadataRounds(async (topics) => {
      asked.push([...topics])
      await new Promise<void>((resolve) => answers.push(resolve))
      return NONE
    })
    const first = rounds.join(['a', 'b'])
    await expect.poll(() => asked).toEqual([['a', 'b']])
    const others = [rounds.join(['c']), rounds.join(['b']), rounds.join(['a', 'd'])]
    answers.shift()!()
    await first
    await others[1]
    await expect
      .poll(() => asked)
      .toEqual([
        ['a', 'b'],
        ['c', 'a', 'd'],
      ])
    answers.shift()!()
    await Promise.all(others)
    expect(asked).toHaveLength(2)
  })

  test('go on after one that failed', async () => {
    let isDown = true
    const rounds = new MetadataRounds(async () => {
      if (isDown) throw new Error('down')
      return NONE
    })
    await expect(rounds.join(['a'])).rejects.toThrow('down')
    isDown = false
    expect(await rounds.join(['a'])).toBe(NONE)
  })
})
