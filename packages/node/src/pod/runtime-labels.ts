/** Labels and annotations by which pods are found again in the runtime; the same as kubelet's, so that crictl understands them. */
export const LABEL_POD_NAME = 'io.kubernetes.pod.name';
export const LABEL_POD_NAMESPACE = 'io.kubernetes.pod.namespace';
export const LABEL_POD_UID = 'io.kubernetes.pod.uid';
export const LABEL_CONTAINER_NAME = 'io.kubernetes.container.name';
export const ANNOTATION_RESTART_COUNT = 'io.kubernetes.container.restartCount';
export const ANNOTATION_GRACE_PERIOD = 'io.kubernetes.pod.terminationGracePeriod';
/** The resources the container was created with, as resourcesText writes them. */
export const ANNOTATION_RESOURCES = 'ballast.dev/resources';
/** The image as the pod spelled it; the runtime reports a resolved name. */
export const ANNOTATION_IMAGE = 'ballast.dev/image';
