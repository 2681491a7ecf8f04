/** What matters first: whether a pipeline is ready, why not, and its few numbers. */
import type { PipelineStatus } from './data.ts'
import { count, rate, seconds } from './format.ts'
import { html } from './html.ts'
import type { VNode } from 'preact'

const STATES = {
  starting: 'Starting',
  running: 'Running',
  stopping: 'Stopping',
  ended: 'Ended',
  failed: 'Failed',
} as const

export function badgeOf({ state, ready }: PipelineStatus): {
  readonly text: string
  readonly kind: 'good' | 'bad' | 'warn'
} {
  if (state === 'failed') return { text: STATES.failed, kind: 'bad' }
  if (state !== 'running') return { text: STATES[state], kind: 'warn' }
  return ready ? { text: 'Healthy', kind: 'good' } : { text: 'Not ready', kind: 'bad' }
}

export function Health({ pipeline }: { readonly pipeline: PipelineStatus }): VNode {
  const { name, delivery, reasons, read, written, lag, lagSeconds, now, failed, rebalances } = pipeline
  const badge = badgeOf(pipeline)
  const stuck = pipeline.partitions.filter(({ problem }) => problem !== undefined).length
  const sum = (counts: { readonly [code: string]: number }): number =>
    Object.values(counts).reduce((total, each) => total + each, 0)
  const figures: readonly (readonly [string, string, string])[] = [
    ['Read', rate(now?.readPerSecond), `${count(read.records)} in all`],
    ['Written', rate(now?.writtenPerSecond), `${count(written.records)} in all`],
    ['Lag', count(lag), 'records to read'],
    ['Lag in time', seconds(lagSeconds), 'age of the last record read'],
    ['Latency', seconds(now?.latencySeconds), '99 % within, last 10 s'],
    ['Skipped', count(sum(failed.skipped)), 'records'],
    ['Dead letters', count(sum(failed.deadLettered)), 'records'],
    ['Retried', count(sum(failed.retried)), 'attempts'],
    ...(pipeline.partitions.length > 0 ? [['Rebalances', count(rebalances), 'of the group'] as const] : []),
  ]
  return html`<section aria-labelledby="health">
    <div class="health-line">
      <h2 id="health" style="margin:0">${name}</h2>
      <span class=${`badge ${badge.kind}`} role="status" data-testid="badge">${badge.text}</span>
      <span class="faint">${delivery.replaceAll('_', ' ')}</span>
    </div>
    ${
      (reasons.length > 0 || stuck > 0) &&
      html`<ul class="reasons" data-testid="reasons">
        ${reasons.map(({ reason, message }) => html`<li key=${reason}>${message}</li>`)}
        ${stuck > 0 && html`<li key="stuck"><a href="#partitions">${stuck === 1 ? '1 partition is stuck' : `${count(stuck)} partitions are stuck`}</a></li>`}
      </ul>`
    }
    <dl class="figures">
      ${figures.map(
        ([label, value, note]) =>
          html`<div key=${label}>
            <dt>${label}</dt>
            <dd data-testid=${label}>${value}<small>${note}</small></dd>
          </div>`,
      )}
    </dl>
  </section>`
}
