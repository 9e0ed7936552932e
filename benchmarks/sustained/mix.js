// The traffic of `make load`: what each tenant asks, at a rate that does not wait for the answers.
//
// PLAN names a JSON file: {base, workflow, seconds, tiers: [{name, rate, tenants: [{key, agents}]}],
// wheel: [act, …], categories: [name, …], summary}. An iteration is one request.

import exec from 'k6/execution'
import http from 'k6/http'
import { Counter } from 'k6/metrics'

const plan = JSON.parse(open(__ENV.PLAN))
const refused = new Counter('refused')

export const options = {
  scenarios: Object.fromEntries(plan.tiers.map((tier) => [tier.name, scenario(tier)])),
  // A threshold is what makes k6 keep figures by tag; the verdict is not k6's.
  thresholds: Object.fromEntries(
    plan.categories.map((name) => [`http_req_duration{category:${name}}`, ['max>=0']]),
  ),
  summaryTrendStats: ['count', 'med', 'p(95)', 'p(99)', 'max'],
  systemTags: ['scenario'],
  discardResponseBodies: true,
}

function scenario(tier) {
  // Arrivals a minute, because a free tenant sends less than one a second.
  const users = Math.max(4, Math.ceil(tier.rate / 5))
  return {
    executor: 'constant-arrival-rate',
    rate: Math.round(tier.rate * 60),
    timeUnit: '1m',
    duration: `${plan.seconds}s`,
    preAllocatedVUs: users,
    maxVUs: users * 3,
  }
}

// What this virtual user made at each tenant and has still to change, read or take away.
const held = {}

export default function () {
  const tier = plan.tiers.find((one) => one.name === exec.scenario.name)
  const turn = exec.scenario.iterationInTest
  const index = turn % tier.tenants.length
  const step = Math.floor(turn / tier.tenants.length) + index * 7
  const tenant = tier.tenants[index]
  const mine = (held[tenant.key] = held[tenant.key] || {})
  const agent = tenant.agents[step % tenant.agents.length]
  acts[plan.wheel[step % plan.wheel.length]]({ tenant, agent, mine, turn })
}

function ask(one, category, method, path, { body, headers, read } = {}) {
  const params = {
    headers: { Authorization: `Bearer ${one.tenant.key}`, ...headers },
    tags: { category, name: category },
    responseType: read ? 'text' : 'none',
  }
  if (body !== undefined) params.headers['Content-Type'] = 'application/json'
  const answer = http.request(method, plan.base + path, body && JSON.stringify(body), params)
  if (answer.status >= 400 || answer.status === 0) {
    refused.add(1)
    if (__ENV.TELL) console.warn(`${method} ${path}: ${answer.status} ${answer.error}`)
  }
  return answer
}

const AUTH = 'authentication', CRUD = 'agent_crud', RUNS = 'workflow_execution'
const POLICY = 'policy_evaluation', TELEMETRY = 'telemetry_query', OTHER = 'other'

const acts = {
  whoami: (one) => ask(one, AUTH, 'GET', '/v1/auth/whoami'),
  keys: (one) => ask(one, AUTH, 'GET', '/v1/keys'),
  key: (one) => {
    if (one.mine.key) {
      ask(one, AUTH, 'DELETE', `/v1/keys/${one.mine.key}`)
      delete one.mine.key
      return
    }
    const body = { service: `load-${one.turn}`, role: 'viewer' }
    const answer = ask(one, AUTH, 'POST', '/v1/keys', { body, read: true })
    if (answer.status === 201) one.mine.key = answer.json('key.id')
  },
  read: (one) => ask(one, CRUD, 'GET', `/v1/agents/${one.agent}`),
  list: (one) => ask(one, CRUD, 'GET', '/v1/agents?limit=20'),
  agent: (one) => {
    const made = one.mine.agent
    if (!made) {
      const body = { name: `made-${one.turn}`, kind: 'http', url: plan.service }
      const answer = ask(one, CRUD, 'POST', '/v1/agents', { body, read: true })
      if (answer.status === 201) {
        one.mine.agent = { id: answer.json('id'), tag: answer.headers.Etag, changed: false }
      }
    } else if (!made.changed) {
      const body = { description: `changed in turn ${one.turn}` }
      const headers = { 'If-Match': made.tag }
      const answer = ask(one, CRUD, 'PATCH', `/v1/agents/${made.id}`, { body, headers })
      one.mine.agent = { id: made.id, tag: answer.headers.Etag, changed: true }
    } else {
      const headers = { 'If-Match': made.tag }
      ask(one, CRUD, 'DELETE', `/v1/agents/${made.id}`, { headers })
      delete one.mine.agent
    }
  },
  start: (one) => {
    const headers = { 'Idempotency-Key': `load-${one.turn}` }
    const path = `/v1/workflows/${plan.workflow}/runs`
    const body = { input: { turn: one.turn } }
    const answer = ask(one, RUNS, 'POST', path, { body, headers, read: true })
    if (answer.status === 202) one.mine.run = answer.json('id')
  },
  run: (one) => ask(one, RUNS, 'GET', one.mine.run ? `/v1/runs/${one.mine.run}` : '/v1/runs?limit=1'),
  runs: (one) => ask(one, RUNS, 'GET', '/v1/runs?limit=20'),
  workflow: (one) => ask(one, RUNS, 'GET', `/v1/workflows/${plan.workflow}`),
  policy: (one) => {
    const resource = { type: 'Agent', id: one.agent, name: 'standing-0', kind: 'http' }
    const body = { action: 'invokeAgent', resource }
    ask(one, POLICY, 'POST', '/v1/policies:evaluate', { body })
  },
  usage: (one) => ask(one, TELEMETRY, 'GET', '/v1/telemetry/usage'),
  series: (one) => ask(one, TELEMETRY, 'GET', '/v1/telemetry/series'),
  percentiles: (one) => ask(one, TELEMETRY, 'GET', '/v1/telemetry/percentiles'),
  spans: (one) => ask(one, TELEMETRY, 'GET', '/v1/telemetry/spans?limit=20'),
  invoke: (one) => {
    ask(one, OTHER, 'POST', `/v1/agents/${one.agent}:invoke`, { body: { input: { turn: one.turn } } })
  },
}

export function handleSummary(data) {
  return { [plan.summary]: JSON.stringify(data.metrics) }
}
