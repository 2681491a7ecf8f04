/** The table of README.md with what was measured, from bench/results: between two comments, as the rest of the page is written by hand. */
import { readFile } from 'node:fs/promises'
import { newestResults, type Result } from './performance.ts'

const README = new URL('../../README.md', import.meta.url)
const BEGIN = '<!-- Benchmarks, by `npm run docs`; do not edit. -->'
const END = '<!-- End of the benchmarks. -->'

interface Row {
  case: string
  work: string
  /** Contender of ours, and the one of Kafka’s own that does the same work. */
  ours: string
  javas: string
  javasName: string
}

const ROWS: readonly Row[] = [
  { case: 'consume', work: 'read', ours: 'batches', javas: 'java', javasName: 'Java client' },
  { case: 'compressed', work: 'read 1 KB of JSON, lz4', ours: 'lz4', javas: 'lz4-java', javasName: 'Java client' },
  { case: 'compressed', work: 'read 1 KB of JSON, zstd', ours: 'zstd', javas: 'zstd-java', javasName: 'Java client' },
  { case: 'produce', work: 'write, acks=all', ours: 'millrace', javas: 'java', javasName: 'Java client' },
  {
    case: 'send',
    work: '1,000 callers await single records',
    ours: 'millrace',
    javas: 'java',
    javasName: 'Java client',
  },
  { case: 'copy', work: 'copy a topic, by a file', ours: 'millrace', javas: 'mirrormaker', javasName: 'MirrorMaker 2' },
  {
    case: 'filter',
    work: 'filter JSON, by a file',
    ours: 'millrace',
    javas: 'kafka-streams',
    javasName: 'Kafka Streams',
  },
]

/** README.md with the table as the newest results have it. */
export async function readmeWithBenchmarks(): Promise<string> {
  const text = await readFile(README, 'utf8')
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin < 0 || end < begin)
    throw new Error(`README.md has no place for the benchmarks: it needs ${BEGIN} and ${END}`)
  const results = await newestResults()
  const rows = ROWS.flatMap((row) => {
    const result = results.get(row.case)
    return result === undefined || result.ours[row.ours] === undefined ? [] : [rowOf(row, result)]
  })
  const table = [
    '| million records/s | Millrace | of Apache Kafka | kafkajs | @platformatic/kafka |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
  // What is written ends with a line feed already.
  return `${text.slice(0, begin)}${BEGIN}\n\n${table}\n\n${text.slice(end)}`.trimEnd()
}

function rowOf({ work, ours, javas, javasName }: Row, { ours: own, peers }: Result): string {
  const theirs = peers[javas]
  const cells = [
    work,
    `**${millions(own[ours]!)}**`,
    theirs === undefined ? '' : `${millions(theirs)} (${javasName})`,
    ...['kafkajs', 'platformatic'].map((name) => (peers[name] === undefined ? '' : millions(peers[name]))),
  ]
  return `| ${cells.join(' | ')} |`
}

/** Two significant digits: more would promise more than rates on shared machines hold. */
function millions(perSecond: number): string {
  return String(Number((perSecond / 1e6).toPrecision(2)))
}
