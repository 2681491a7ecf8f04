import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { GroupNews } from '../../../src/kafka/consumer/group-news.ts'

// Between a kill and the end of the killed member's session, a start was silent for up to 45 s.
describe('what a member of a group reports', () => {
  let told: string[] = []
  let now = 0
  const newsOf = (partitions: number): GroupNews =>
    new GroupNews(
      {
        topics: ['t'],
        inform: (message) => told.push(message),
        cluster: { cachedTopic: () => ({ partitions: Array.from({ length: partitions }) }) as never },
      },
      'g',
      () => now,
    )
  const own = (count: number): { topic: string; partition: number }[] =>
    Array.from({ length: count }, (_, partition) => ({ topic: 't', partition }))
  const pass = (ms: number): void => {
    now += ms
    vi.advanceTimersByTime(ms)
  }
  beforeEach(() => {
    told = []
    now = 1000
    vi.useFakeTimers()
  })
  afterEach(() => vi.useRealTimers())

  test('is that joining takes long, after two seconds, and then what was assigned', () => {
    const news = newsOf(3)
    news.joining()
    expect([news.isJoining, news.problem, told]).toEqual([true, undefined, []])
    pass(2000)
    expect(told).toEqual([
      'Joining group "g": waiting for its other members to join, or for their sessions to time out',
    ])
    pass(10_000)
    expect([news.problem, told.length]).toEqual(['joining group "g" for 12 s', 1])
    news.assigned(own(3))
    expect([news.isJoining, news.problem]).toEqual([false, undefined])
    expect(told.slice(1)).toEqual(['Group "g" assigned 3 of 3 partitions'])
  })

  test('is nothing about joining when that is quick, nor about an assignment that is the same as before', () => {
    const news = newsOf(3)
    for (let time = 0; time < 3; time++) {
      news.joining()
      news.assigned(own(2))
      pass(10_000)
    }
    expect(told).toEqual(['Group "g" assigned 2 of 3 partitions'])
  })

  // A member without partitions looked as if there were nothing to read.
  test('is that the other members read all partitions', () => {
    newsOf(1).assigned([])
    expect(told).toEqual(['Group "g" assigned none of 1 partition to this member: its other members read them'])
  })

  test('ends with the membership', () => {
    const news = newsOf(3)
    news.joining()
    news.ended()
    pass(60_000)
    expect([news.isJoining, told]).toEqual([false, []])
  })
})
