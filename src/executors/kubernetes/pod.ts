import type { KubernetesSettings } from '../../experiment/cluster';

/** The owner of the files on the volume, if this machine mounts it too; else the image's user. */
export interface Account {
  uid: number;
  gid: number;
}

const VOLUME = 'aurora';

/**
 * The path of the volume in pods. It is that of this machine, if it mounts the volume: then every path is the same in
 * both.
 */
export function mountOf({ mount, folder }: KubernetesSettings): string {
  const usual = folder?.startsWith('/') ? folder : '/aurora';
  return (mount ?? usual).replace(/(?<=.)\/+$/, '');
}

/** A proxy that a service mesh adds would not end with the trainer, and neither would the pod. */
export const podMetadata = (labels: Readonly<Record<string, string>>) => ({
  labels: { ...labels, 'sidecar.istio.io/inject': 'false' },
  annotations: { 'linkerd.io/inject': 'disabled' },
});

/** The settings that all pods share. They satisfy the `restricted` Pod Security Standard. */
export const podSettings = (settings: KubernetesSettings, account?: Account) => ({
  serviceAccountName: settings.serviceAccount,
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  ...(settings.imagePullSecrets && {
    imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })),
  }),
  nodeSelector: settings.nodeSelector,
  tolerations: settings.tolerations,
  securityContext: {
    runAsNonRoot: true,
    // An owner of files on the volume may write there. Otherwise the group of the image's user owns volumes that
    // Kubernetes formats; some drivers then change the group of all files on the volume.
    ...(account
      ? { runAsUser: account.uid, runAsGroup: account.gid }
      : { fsGroup: IMAGE_USER, fsGroupChangePolicy: 'OnRootMismatch' }),
    seccompProfile: { type: 'RuntimeDefault' },
  },
  volumes: [{ name: VOLUME, persistentVolumeClaim: { claimName: settings.claim } }],
});

/** User and group of the image, which the Dockerfile sets. */
export const IMAGE_USER = 1000;

export const volumeMount = (settings: KubernetesSettings) => ({
  volumeMounts: [{ name: VOLUME, mountPath: mountOf(settings) }],
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
});
