import { own } from '../base/names';

/**
 * The reason why a trial waits in a queue, or how it ended, in words after "queued:" or "lost:". The codes are those of
 * squeue(1) (JOB REASON CODES, JOB STATE CODES) and of Kubernetes (conditions and reasons of pods and jobs).
 */
const REASONS: Readonly<Record<string, string>> = {
  // Slurm: why it waits.
  Priority: 'other jobs are ahead of it',
  Resources: 'waiting for free nodes',
  JobArrayTaskLimit: 'the limit of trials at a time is reached',
  Dependency: 'waiting for other trials of this sweep',
  DependencyNeverSatisfied: 'a job that it depends on failed',
  BeginTime: 'requeued a moment ago (Slurm starts it again after a short wait)',
  Cleaning: 'the node is being cleaned up after its last run',
  JobHeldUser: 'held by its owner, or after a failed start (scontrol release continues it)',
  JobHeldAdmin: 'held by an administrator or after too many failed starts (scontrol release continues it)',
  JobHoldMaxRequeue: 'held after too many requeues (scontrol release continues it)',
  Reservation: 'waiting for its reservation to begin',
  ReservationDeleted: 'its reservation was deleted',
  Licenses: 'waiting for a license',
  NodeDown: 'a node that it needs is down',
  ReqNodeNotAvail: 'the nodes that it needs are down, drained or reserved',
  BadConstraints: 'no node can meet what it asks for',
  PartitionDown: 'the partition is down',
  PartitionInactive: 'the partition accepts no new jobs now',
  PartitionNodeLimit: 'it asks for more nodes than the partition allows',
  PartitionTimeLimit: "its time limit is above the partition's",
  PartitionConfig: 'the partition does not allow what it asks for',
  AccountNotAllowed: 'the account may not use this partition',
  InvalidAccount: 'the account is not valid',
  InvalidQOS: 'the quality of service is not valid',
  QOSNotAllowed: 'the quality of service may not be used here',
  QOSJobLimit: 'the limit of jobs of the quality of service is reached',
  QOSResourceLimit: 'the limit of resources of the quality of service is reached',
  QOSTimeLimit: 'the time limit of the quality of service is reached',
  QOSUsageThreshold: 'the quality of service has been used too much',
  AssociationJobLimit: 'the limit of jobs of the account is reached',
  AssociationResourceLimit: 'the limit of resources of the account is reached',
  AssociationTimeLimit: 'the time limit of the account is reached',
  FairShare: 'its turn comes by fair share',
  Prolog: "the node's prolog is running",
  FrontEndDown: 'no front end can start it',
  SystemFailure: 'Slurm, a file system or the network has failed',
  JobLaunchFailure: 'it could not be started on its node',
  launch_failed_requeued_held:
    'held, since it could not be started on its node (scontrol release continues it)',
  // Slurm: the states of a job, and its ends.
  COMPLETING: 'ending',
  CONFIGURING: 'the node is being started',
  SUSPENDED: 'suspended by the scheduler',
  STOPPED: 'stopped by a signal',
  NODE_FAIL: 'its node failed',
  BOOT_FAIL: 'its node did not start',
  PREEMPTED: 'a job of higher priority took its place',
  TIMEOUT: 'the time limit was reached before it could save',
  OUT_OF_MEMORY: 'it needed more memory than it asked for',
  DEADLINE: 'its deadline was reached',
  REVOKED: 'another cluster took it',
  // Kubernetes: why it waits.
  JobParallelism: 'the limit of trials at a time is reached',
  Suspended: 'the job is suspended',
  Unschedulable: 'no node can take it',
  SchedulingGated: 'waiting for admission to the queue',
  ContainerCreating: 'its container is being created',
  PodInitializing: 'its pod is being prepared',
  FailedMount: 'its volume cannot be mounted',
  FailedAttachVolume: 'its volume cannot be attached',
  ImagePullBackOff: 'its image cannot be pulled',
  ErrImagePull: 'its image cannot be pulled',
  ErrImageNeverPull: 'its image is not on the node',
  InvalidImageName: "its image's name is not valid",
  CreateContainerConfigError: 'its container cannot be configured',
  CreateContainerError: 'its container cannot be created',
  RunContainerError: 'its container cannot be started',
  CrashLoopBackOff: 'its container ended several times and is started again later',
  FailedCreate: 'its pod cannot be created',
  // Kubernetes: how it ended.
  Error: 'it ended with an error',
  UnexpectedAdmissionError: 'its node refused it',
  NodeAffinity: 'its node refused it',
  TopologyAffinityError: 'its node refused it',
  OOMKilled: 'it needed more memory than it asked for',
  Evicted: 'its node evicted it',
  Preempted: 'a pod of higher priority took its place',
  PreemptionByScheduler: 'a pod of higher priority took its place',
  TerminationByKubelet: 'its node ended it',
  DeletionByTaintManager: 'its node became unavailable',
  EvictionByEvictionAPI: 'its node was drained',
  DeletionByPodGC: 'its node is gone',
  NodeLost: 'its node is gone',
  NodeShutdown: 'its node was shut down',
  Terminated: 'its node was shut down',
  DeadlineExceeded: "the job's deadline was reached",
  BackoffLimitExceeded: 'it failed too often',
  FailedIndexes: 'it failed too often',
  ContainerCannotRun: 'its container cannot run',
  ContainerStatusUnknown: 'its node lost sight of its container',
};

/** Kubernetes': `OutOfcpu`, `OutOfnvidia.com/gpu`. */
const NO_ROOM = /^OutOf[a-z][\w./-]*$/;

/** Slurm's families of limits, by quality of service or by association (account, user): `QOSMaxCpuPerUserLimit`. */
const LIMIT = /^(QOS|Assoc)(Grp|Max|Min)(.*?)(?:Limit)?$/;

/**
 * @param code the scheduler's
 * @param detail the scheduler's own words in addition
 * @returns undefined without any words
 */
export function clusterReason({ code, detail }: { code?: string; detail?: string }): string | undefined {
  const words = code === undefined ? undefined : wordsOf(code);
  if (words === undefined) return detail ?? code;
  return detail === undefined ? words : `${words} (${detail})`;
}

/** squeue prints this reason as a sentence. */
const NOT_AVAILABLE = /^Nodes required for job are DOWN, DRAINED or reserved[^,]*/;

function wordsOf(text: string): string | undefined {
  const code = text.replace(NOT_AVAILABLE, 'ReqNodeNotAvail');
  // squeue has one line for tasks that wait for different reasons: "Resources,JobHeldUser", "JobArrayTaskLimit,None"
  const all = code.split(',').filter((name) => name !== 'None');
  const words = all.map((name) => own(REASONS, name));
  if (all.length > 0 && words.every((known) => known !== undefined)) return [...new Set(words)].join('; ');
  // "ReqNodeNotAvail, UnavailableNodes:node[1-2]", "RaisedSignal:9(Killed)"
  const [, name = '', more] = /^([A-Za-z_]+)(?:[,:(]\s*(.*?)\)?)?$/.exec(code) ?? [];
  const known = own(REASONS, name);
  if (known !== undefined) return more === undefined || more === '' ? known : `${known} (${more})`;
  if (NO_ROOM.test(code)) return 'its node had no room for it';
  const [, whose, , what] = LIMIT.exec(name) ?? [];
  if (whose === undefined) return undefined;
  const of = whose === 'QOS' ? 'the quality of service' : 'the account';
  return `a limit of ${of} is reached (${what === '' ? name : code})`;
}
