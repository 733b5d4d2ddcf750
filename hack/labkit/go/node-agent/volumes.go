package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	driver       = "lab.bankstack.io/volumes"
	volumes      = "/var/lib/lab-volumes"
	selectedNode = "volume.kubernetes.io/selected-node"
)

// volumeFolder is one node's provisioner. Each agent answers only for claims
// whose pod the scheduler put on its node, so a volume belongs to its region.
type volumeFolder struct{ node string }

func serveVolumes(ctx context.Context, client kubernetes.Interface, node string) {
	controller.NewProvisionController(ctx, client, driver, volumeFolder{node},
		controller.LeaderElection(false), controller.Threadiness(2),
	).Run(ctx)
}

func (f volumeFolder) ShouldProvision(_ context.Context, claim *v1.PersistentVolumeClaim) bool {
	return claim.Annotations[selectedNode] == f.node
}

func (f volumeFolder) ShouldDelete(_ context.Context, volume *v1.PersistentVolume) bool {
	return hostOf(volume) == f.node
}

func (f volumeFolder) Provision(_ context.Context, asked controller.ProvisionOptions) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	if asked.PVC.Spec.VolumeMode != nil && *asked.PVC.Spec.VolumeMode == v1.PersistentVolumeBlock {
		return nil, controller.ProvisioningFinished, fmt.Errorf("the lab's volumes are folders: volumeMode Block is not to be had")
	}
	for _, mode := range asked.PVC.Spec.AccessModes {
		if mode == v1.ReadWriteMany || mode == v1.ReadOnlyMany {
			return nil, controller.ProvisioningFinished, fmt.Errorf("the lab's volumes live on one node: access mode %s is not to be had", mode)
		}
	}
	path := filepath.Join(volumes, asked.PVName)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	// The process's umask would take the write bit from pods that run as nobody.
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: asked.PVName},
		Spec: v1.PersistentVolumeSpec{
			AccessModes:                   asked.PVC.Spec.AccessModes,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: asked.PVC.Spec.Resources.Requests[v1.ResourceStorage]},
			PersistentVolumeReclaimPolicy: *asked.StorageClass.ReclaimPolicy,
			PersistentVolumeSource:        v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: path}},
			NodeAffinity:                  onlyOn(f.node),
		},
	}, controller.ProvisioningFinished, nil
}

func (f volumeFolder) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	if hostOf(volume) != f.node {
		return &controller.IgnoredError{Reason: "the volume is on another node"}
	}
	return os.RemoveAll(filepath.Join(volumes, volume.Name))
}

func onlyOn(node string) *v1.VolumeNodeAffinity {
	return &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
		MatchExpressions: []v1.NodeSelectorRequirement{{Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{node}}},
	}}}}
}

func hostOf(volume *v1.PersistentVolume) string {
	if volume.Spec.NodeAffinity == nil || volume.Spec.NodeAffinity.Required == nil {
		return ""
	}
	for _, term := range volume.Spec.NodeAffinity.Required.NodeSelectorTerms {
		for _, rule := range term.MatchExpressions {
			if rule.Key == v1.LabelHostname && len(rule.Values) == 1 {
				return rule.Values[0]
			}
		}
	}
	return ""
}
