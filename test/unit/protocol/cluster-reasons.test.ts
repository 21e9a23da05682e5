import { describe, expect, it } from 'vitest';
import { clusterReason } from '../../../src/protocol/cluster-reasons';

describe("a scheduler's reason in words", () => {
  it.each([
    ['Priority', 'other jobs are ahead of it'],
    ['NODE_FAIL', 'its node failed'],
    ['OOMKilled', 'it needed more memory than it asked for'],
    [
      'ReqNodeNotAvail, UnavailableNodes:node[1-2]',
      'the nodes that it needs are down, drained or reserved (UnavailableNodes:node[1-2])',
    ],
    ['JobArrayTaskLimit,None', 'the limit of trials at a time is reached'],
    [
      'Resources,BeginTime',
      'waiting for free nodes; requeued a moment ago (Slurm starts it again after a short wait)',
    ],
    [
      'Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions,Resources',
      'the nodes that it needs are down, drained or reserved; waiting for free nodes',
    ],
    ['QOSMaxCpuPerUserLimit', 'a limit of the quality of service is reached (QOSMaxCpuPerUserLimit)'],
    ['AssocGrpGRES', 'a limit of the account is reached (AssocGrpGRES)'],
    // An unknown code is shown as it is.
    ['SomethingNew', 'SomethingNew'],
    ['constructor', 'constructor'],
  ])('%s', (code, words) => expect(clusterReason({ code })).toBe(words));

  it("has the scheduler's own explanation", () => {
    expect(clusterReason({ code: 'Unschedulable', detail: '0/3 nodes are available' })).toBe(
      'no node can take it (0/3 nodes are available)',
    );
    expect(clusterReason({ code: 'New', detail: 'it says so' })).toBe('it says so');
    expect(clusterReason({})).toBeUndefined();
  });
});
