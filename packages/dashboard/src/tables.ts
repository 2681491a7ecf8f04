/** Partitions, failures and events, as tables and lists. */
import { useState } from 'preact/hooks'
import type { VNode } from 'preact'
import type { Ask, FailedRecord, FailureStatus, PipelineStatus, Status } from './data.ts'
import { clock, count, seconds } from './format.ts'
import { html } from './html.ts'
import { FailedRecordView } from './records.ts'

const FEW = 20

export function Partitions({ pipeline }: { readonly pipeline: PipelineStatus }): VNode | null {
  const { partitions, partitionsLeftOut } = pipeline
  const [isWhole, setWhole] = useState(false)
  if (partitions.length === 0) return null
  const shown = isWhole ? partitions : partitions.slice(0, FEW)
  const all = partitions.length + partitionsLeftOut
  return html`<section aria-labelledby="partitions">
    <h2 id="partitions">Partitions</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of partitions">
      <table data-testid="partitions">
        <caption>
          ${shown.length} of ${all}; those with problems or lag come first
        </caption>
        <thead>
          <tr>
            <th scope="col">Topic</th>
            <th scope="col" class="number">Partition</th>
            <th scope="col">State</th>
            <th scope="col" class="number">Position</th>
            <th scope="col" class="number">End</th>
            <th scope="col" class="number">Committed</th>
            <th scope="col" class="number">Lag</th>
            <th scope="col" class="number">Lag in time</th>
            <th scope="col">Owner</th>
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            (row) =>
              html`<tr key=${`${row.topic} ${row.partition}`} data-partition=${row.partition}>
                <td>${row.topic}</td>
                <td class="number">${row.partition}</td>
                <td>
                  ${row.problem === undefined ? row.state.replace('-', ' ') : html`<span class="badge bad">stuck</span> ${row.problem}`}
                </td>
                <td class="number">${count(row.position)}</td>
                <td class="number">${count(row.end)}</td>
                <td class="number">${count(row.committed)}</td>
                <td class="number">${count(row.lag)}</td>
                <td class="number">${seconds(row.lagSeconds)}</td>
                <td><code>${row.owner ?? '–'}</code></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${partitions.length > FEW && html`<p><button aria-expanded=${isWhole} onClick=${() => setWhole(!isWhole)}>${isWhole ? 'Show fewer' : `Show ${partitions.length}`}</button></p>`}
  </section>`
}

const FATES = {
  retried: ['Retried', 'warn'],
  skipped: ['Skipped', 'warn'],
  'dead-lettered': ['Dead letter', 'warn'],
  fatal: ['Ended the run', 'bad'],
} as const

const EARLIER = ['Ended an earlier run', 'bad'] as const

interface FailuresProps {
  readonly pipeline: PipelineStatus
  /** What ended earlier runs. */
  readonly earlier: readonly FailureStatus[] | undefined
  readonly ask: Ask
}

export function Failures({ pipeline, earlier = [], ask }: FailuresProps): VNode {
  const failures = [...pipeline.failures, ...earlier]
  return html`<section aria-labelledby="failures">
    <h2 id="failures">Failures and dead letters</h2>
    ${
      failures.length === 0
        ? html`<p class="faint" style="margin:0">Nothing has failed.</p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Table of failures">
            <table data-testid="failures">
              <caption>
                The latest first; failures of one partition with the same code are one row
              </caption>
              <thead>
                <tr>
                  <th scope="col">What happened</th>
                  <th scope="col" class="number">Times</th>
                  <th scope="col">Last</th>
                  <th scope="col">Why</th>
                  <th scope="col">Record</th>
                </tr>
              </thead>
              <tbody>
                ${failures.map((failure) => {
                  const [text, kind] = earlier.includes(failure) ? EARLIER : FATES[failure.fate]
                  return html`<tr key=${`${failure.id} ${failure.firstAt}`}>
                    <td><span class=${`badge ${kind}`}>${text}</span></td>
                    <td class="number">${count(failure.count)}</td>
                    <td>${clock(failure.lastAt)}</td>
                    <td><code>${failure.code}</code><br />${failure.message}</td>
                    <td><${RecordPlace} ...${failure} pipeline=${pipeline.name} ask=${ask} /></td>
                  </tr>`
                })}
              </tbody>
            </table>
          </div>`
    }
  </section>`
}

interface Place {
  readonly id: number
  readonly hasRecord: boolean
  /** Where it came with the failure. */
  readonly record: FailedRecord['record'] | undefined
  readonly pipeline: string
  readonly ask: Ask
  readonly topic: string | undefined
  readonly partition: number | undefined
  readonly offset: string | undefined
}

/** Where the record is, and the command that shows it. */
function RecordPlace({ topic, partition, offset, id, hasRecord, record, pipeline, ask }: Place): VNode | string {
  const [isCopied, setCopied] = useState(false)
  const [found, setFound] = useState<FailedRecord | undefined>(undefined)
  if (topic === undefined || partition === undefined || offset === undefined) return '–'
  const command = `millrace read -t ${topic} --partition ${partition} --offset ${offset} --count 1`
  const copy = (): void => {
    navigator.clipboard.writeText(command).then(
      () => setCopied(true),
      () => setCopied(false),
    )
  }
  // What is shown stays as it is, whatever fails meanwhile.
  const show = async (): Promise<void> => {
    if (found !== undefined) setFound(undefined)
    else if (record !== undefined) setFound({ record, isHidden: false })
    else setFound(await ask<FailedRecord>({ pipeline, failure: String(id) }))
  }
  return html`<div>
    ${topic}, partition ${partition}, offset ${offset}<br />
    <code>${command}</code> <button onClick=${copy}>${isCopied ? 'Copied' : 'Copy'}</button>
    ${hasRecord && html`${' '}<button aria-expanded=${found !== undefined} onClick=${show}>${found === undefined ? 'Show the record' : 'Hide the record'}</button>`}
    ${found !== undefined && html`<${FailedRecordView} found=${found} />`}
  </div>`
}

export function Events({ events }: { readonly events: Status['events'] }): VNode {
  const latest = events.toReversed().slice(0, FEW)
  return html`<section aria-labelledby="events">
    <h2 id="events">Events</h2>
    ${
      latest.length === 0
        ? html`<p class="faint" style="margin:0">Nothing yet.</p>`
        : html`<ul class="events">
            ${latest.map(
              ({ at, level, event, message }) =>
                html`<li key=${`${at} ${event}`}>
                  <span class="faint">${clock(at)}</span>${' '}
                  ${level !== 'info' && html`<span class="badge warn">${level === 'warn' ? 'warning' : 'error'}</span>`}
                  ${` ${message} `}<code class="faint">${event}</code>
                </li>`,
            )}
          </ul>`
    }
  </section>`
}
