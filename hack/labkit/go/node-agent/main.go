// The built node image's own CNI and storage: one small agent per node where the
// published image carries kindnet and local-path-provisioner, neither of which
// can be had as a Go module. It must stay as dull as they are: routes between
// the nodes of one cluster, volumes that live and die on one node, nothing else.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	config, err := rest.InClusterConfig()
	if err != nil {
		klog.Fatalf("this agent runs only inside a lab cluster: %v", err)
	}
	// The service address needs kube-proxy, and kube-proxy's pod may start after
	// this one; the API server's own address needs nobody.
	if endpoint := os.Getenv("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	client := kubernetes.NewForConfigOrDie(config)
	node := os.Getenv("NODE_NAME")
	go serveVolumes(ctx, client, node)
	keepNetwork(ctx, client, node)
}
