"""What a network is compared with: models that need no gradient, each as good as it can be made."""
