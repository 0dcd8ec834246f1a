package rawclient

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
)

// Session is a session, which may be activated by any client that is connected to the server.
type Session struct {
	ID, Token *ua.NodeID
	Timeout   time.Duration // as the server revised it
	// Created is what the server said.
	Created *ua.CreateSessionResponse

	nonce []byte // the last one of the server
}

// Identity is who logs in. The zero value is anonymous.
type Identity struct {
	User, Password string
}

// Login creates a session and activates it. timeout 0 means an hour.
func (c *Client) Login(ctx context.Context, who Identity, timeout time.Duration) (*Session, error) {
	s, err := c.CreateSession(ctx, timeout)
	if err != nil {
		return nil, err
	}
	return s, c.Activate(ctx, s, who)
}

// CreateSession creates a session (OPC 10000-4, 5.6.2). On a secured channel the server's
// signature is verified.
func (c *Client) CreateSession(ctx context.Context, timeout time.Duration) (*Session, error) {
	if timeout == 0 {
		timeout = time.Hour
	}
	nonce := make([]byte, 32)
	_, _ = rand.Read(nonce) // never fails
	response, err := c.Do(ctx, &ua.CreateSessionRequest{
		ClientDescription: &ua.ApplicationDescription{
			ApplicationURI:  c.o.ApplicationURI,
			ApplicationName: ua.NewLocalizedText("rawclient"),
			ApplicationType: ua.ApplicationTypeClient,
		},
		EndpointURL:             c.o.Endpoint,
		SessionName:             "rawclient",
		ClientNonce:             nonce,
		ClientCertificate:       c.o.Certificate,
		RequestedSessionTimeout: float64(timeout.Milliseconds()),
	})
	if err != nil {
		return nil, err
	}
	r, ok := response.(*ua.CreateSessionResponse)
	if !ok {
		return nil, fmt.Errorf("rawclient: the answer to CreateSession is %T", response)
	}
	if c.opening.sign {
		if r.ServerSignature == nil || c.opening.VerifySignature(join(c.o.Certificate, nonce), r.ServerSignature.Signature) != nil {
			return nil, fmt.Errorf("rawclient: wrong signature of the server: %w", ua.StatusBadApplicationSignatureInvalid)
		}
	}
	return &Session{
		ID: r.SessionID, Token: r.AuthenticationToken, Created: r, nonce: r.ServerNonce,
		Timeout: time.Duration(r.RevisedSessionTimeout * float64(time.Millisecond)),
	}, nil
}

// Activate activates a session, which is the client's from then on (OPC 10000-4, 5.6.3).
func (c *Client) Activate(ctx context.Context, s *Session, who Identity) error {
	token, err := c.identity(s, who)
	if err != nil {
		return err
	}
	signature := &ua.SignatureData{}
	if c.opening.sign {
		signature.Algorithm = c.opening.SignatureURI()
		if signature.Signature, err = c.opening.Signature(join(c.o.ServerCertificate, s.nonce)); err != nil {
			return err
		}
	}
	response, err := c.Do(ctx, &ua.ActivateSessionRequest{
		RequestHeader:      &ua.RequestHeader{AuthenticationToken: s.Token},
		ClientSignature:    signature,
		UserIdentityToken:  ua.NewExtensionObject(token),
		UserTokenSignature: &ua.SignatureData{},
	})
	if err != nil {
		return err
	}
	r, ok := response.(*ua.ActivateSessionResponse)
	if !ok {
		return fmt.Errorf("rawclient: the answer to ActivateSession is %T", response)
	}
	s.nonce = r.ServerNonce
	c.Use(s.Token)
	return nil
}

// Use makes requests carry an authentication token; nil: none.
func (c *Client) Use(token *ua.NodeID) {
	if token == nil {
		token = ua.NewTwoByteNodeID(0)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = token
}

// CloseSession closes the session of the client.
func (c *Client) CloseSession(ctx context.Context, deleteSubscriptions bool) error {
	_, err := c.Do(ctx, &ua.CloseSessionRequest{DeleteSubscriptions: deleteSubscriptions})
	if err == nil {
		c.Use(nil)
	}
	return err
}

// identity makes the identity token, with the policy that the server wants it to have.
func (c *Client) identity(s *Session, who Identity) (any, error) {
	if who == (Identity{}) {
		p, err := c.userPolicy(s, ua.UserTokenTypeAnonymous)
		return &ua.AnonymousIdentityToken{PolicyID: p.PolicyID}, err
	}
	p, err := c.userPolicy(s, ua.UserTokenTypeUserName)
	if err != nil {
		return nil, err
	}
	token := &ua.UserNameIdentityToken{PolicyID: p.PolicyID, UserName: who.User, Password: []byte(who.Password)}
	policy := p.SecurityPolicyURI
	if policy == "" {
		policy = c.o.Policy
	}
	if policy == ua.SecurityPolicyURINone {
		return token, nil
	}
	public, err := uapolicy.PublicKey(s.Created.ServerCertificate)
	if err != nil {
		return nil, fmt.Errorf("rawclient: the server's certificate: %w", err)
	}
	a, err := uapolicy.Asymmetric(policy, c.o.Key, public)
	if err != nil {
		return nil, fmt.Errorf("rawclient: %w", err)
	}
	token.EncryptionAlgorithm = a.EncryptionURI()
	token.Password, err = a.Encrypt(secret(who.Password, s.nonce))
	return token, err
}

// secret is what is encrypted of a password (OPC 10000-4, 7.41.2.2).
func secret(password string, nonce []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(password)+len(nonce)))
	return append(append(b, password...), nonce...)
}

// userPolicy finds the policy for a kind of token at the endpoint that the channel is for.
func (c *Client) userPolicy(s *Session, kind ua.UserTokenType) (*ua.UserTokenPolicy, error) {
	for _, e := range s.Created.ServerEndpoints {
		if e.SecurityPolicyURI != c.o.Policy || e.SecurityMode != c.o.Mode {
			continue
		}
		for _, p := range e.UserIdentityTokens {
			if p.TokenType == kind {
				return p, nil
			}
		}
	}
	return &ua.UserTokenPolicy{}, fmt.Errorf("rawclient: the server takes no %v on this endpoint", kind)
}

// join returns a with b behind it, in memory of its own.
func join(a, b []byte) []byte { return append(append(make([]byte, 0, len(a)+len(b)), a...), b...) }
