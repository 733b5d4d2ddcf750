package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/vishvananda/netlink"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

const cniFile = "/etc/cni/net.d/10-lab.conflist"

// cniConfig gives each pod a veth to the node and an address of the node's own
// range: pods of one node and, by the routes below, of all nodes reach each
// other without translation. The node image masquerades what leaves the cluster.
func cniConfig(podCIDR string) string {
	return fmt.Sprintf(`{"cniVersion": "0.4.0", "name": "lab", "plugins": [
  {"type": "ptp", "ipMasq": false, "mtu": 1500,
   "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam-state",
            "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
`, podCIDR)
}

// keepNetwork follows the cluster's nodes until ctx ends. Every change and a
// resync each 15 s bring the whole state about, so a restarted node or a route
// removed by hand heals without anyone noticing.
func keepNetwork(ctx context.Context, client kubernetes.Interface, self string) {
	factory := informers.NewSharedInformerFactory(client, 15*time.Second)
	nodes := factory.Core().V1().Nodes()
	changed := make(chan struct{}, 1)
	wake := func(any) {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	if _, err := nodes.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: wake, DeleteFunc: wake, UpdateFunc: func(_, now any) { wake(now) },
	}); err != nil {
		klog.Fatal(err)
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		all, err := nodes.Lister().List(labels.Everything())
		if err != nil {
			klog.Error(err)
			continue
		}
		for _, node := range all {
			if err := connect(node, self); err != nil {
				klog.Errorf("node %s: %v", node.Name, err)
			}
		}
	}
}

func connect(node *v1.Node, self string) error {
	if node.Spec.PodCIDR == "" {
		return nil
	}
	if node.Name == self {
		return writeIfChanged(cniFile, cniConfig(node.Spec.PodCIDR))
	}
	for _, address := range node.Status.Addresses {
		if address.Type == v1.NodeInternalIP {
			return routeTo(node.Spec.PodCIDR, address.Address)
		}
	}
	return nil
}

func routeTo(podCIDR, gateway string) error {
	_, destination, err := net.ParseCIDR(podCIDR)
	if err != nil {
		return err
	}
	return netlink.RouteReplace(&netlink.Route{Dst: destination, Gw: net.ParseIP(gateway)})
}

// writeIfChanged renames a complete file into place: containerd watches the
// folder and would otherwise read half a configuration.
func writeIfChanged(path, text string) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == text {
		return nil
	}
	partial := filepath.Join(filepath.Dir(path), ".lab-partial")
	if err := os.WriteFile(partial, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(partial, path)
}
