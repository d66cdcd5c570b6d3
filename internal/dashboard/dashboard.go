package dashboard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server serves the page.
type Server struct {
	config Config
	reader *reader
	poller *poller
	doors  doors
	pace   pace

	listener net.Listener
	ending   context.Context // done when streams shall end
}

const (
	headerLimit   = 5 * time.Second
	requestLimit  = 10 * time.Second
	responseLimit = 30 * time.Second // streams have their own
	headerBytes   = 16 << 10
)

// Listen checks the settings and opens the port. It does not connect to the
// database: that may come later.
func Listen(c Config) (*Server, error) {
	if err := errors.Join(c.Problems()...); err != nil {
		return nil, err
	}
	s := &Server{config: c, doors: newDoors(&c), pace: usualPace}
	var err error
	if s.reader, err = newReader(&c); err != nil {
		return nil, err
	}
	s.poller = newPoller(c.Interval, s.reader.snapshot)
	if s.listener, err = net.Listen("tcp", c.Listen); err != nil {
		s.reader.close()
		return nil, fmt.Errorf("listen: %w", err)
	}
	if c.CertFile != "" {
		certificate := &certificate{certFile: c.CertFile, keyFile: c.KeyFile, log: c.Log}
		if _, err := certificate.get(nil); err != nil {
			s.close()
			return nil, fmt.Errorf("tls-cert: %w", err)
		}
		s.listener = tls.NewListener(s.listener, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get, NextProtos: []string{"http/1.1"}})
	}
	return s, nil
}

func (s *Server) close() {
	_ = s.listener.Close()
	s.reader.close()
}

// URL is where a browser on this machine finds it.
func (s *Server) URL() string {
	scheme := "http"
	if s.config.CertFile != "" {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(s.listener.Addr().String()) // of a listener it is whole
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}

// Serve returns when ctx has ended and who was being served has been let go: nil,
// however slow they were.
func (s *Server) Serve(ctx context.Context) error {
	defer s.reader.close()
	s.ending = ctx
	polling := make(chan struct{})
	go func() { defer close(polling); s.poller.run(ctx) }()

	server := &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: headerLimit, ReadTimeout: requestLimit, WriteTimeout: responseLimit,
		MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve the dashboard: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.pace.farewell)
	defer cancel()
	if err := server.Shutdown(bounded); err != nil {
		_ = server.Close() // a browser's spare connection, say, that has asked for nothing yet
	}
	<-polling
	return nil
}
